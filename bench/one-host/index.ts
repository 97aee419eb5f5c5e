import * as pulumi from "@pulumi/pulumi";
import { ClientMessengerService } from "../../components/client-messenger-service.ts";
import { HazelcastConfig } from "../../components/hazelcast-config.ts";
import { JavaInstall } from "../../components/java-install.ts";
import { UfwRules } from "../../components/ufw-rules.ts";
import { publicPort } from "../../config/check.ts";
import { loadDeployment } from "../../config/load.ts";
import { Host } from "../../hosts/host.ts";

const deployment = loadDeployment();
const { share, ssh, clientMessenger, database, firewall } = deployment;
const chatServers = deployment.chatServers.slice(0, 1).map((host) => new Host({ ...host, user: ssh.user }));

const java = new JavaInstall("java", { chatServers });
const hazelcast = new HazelcastConfig("hazelcast", {
  chatServers,
  share,
  release: clientMessenger.release,
  ...deployment.hazelcast,
});
new UfwRules("firewall", {
  chatServers,
  loadBalancers: [],
  sources: firewall.sources,
  publicPort: publicPort(deployment),
});
new ClientMessengerService("client-messenger", {
  chatServers,
  share,
  release: clientMessenger.release,
  database: pulumi.secret(database),
  hazelcastPassword: hazelcast.password,
  loads: [...java.installed, ...hazelcast.written],
});
