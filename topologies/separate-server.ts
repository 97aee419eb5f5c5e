import * as pulumi from "@pulumi/pulumi";
import { ClientMessengerService } from "../components/client-messenger-service.ts";
import { HaproxyChatFrontend } from "../components/haproxy-chat-frontend.ts";
import { HazelcastConfig } from "../components/hazelcast-config.ts";
import { JavaInstall } from "../components/java-install.ts";
import { TynTecWebhooks } from "../components/tyntec-webhooks.ts";
import { UfwRules } from "../components/ufw-rules.ts";
import { publicPort } from "../config/check.ts";
import type { Deployment, HostConfig } from "../config/schema.ts";
import { Host } from "../hosts/host.ts";

/** Chat servers of their own, reached through the platform's load balancers. */
export const separateServer = (deployment: Deployment): void => {
  const { public: visitors, share, clientMessenger, database, firewall, whatsapp, tyntec } = deployment;
  const { release } = clientMessenger;
  const chatServers = deployment.chatServers.map((host) => sshHost(deployment, host));
  const loadBalancers = deployment.loadBalancers.map((host) => sshHost(deployment, host));
  const port = publicPort(deployment);

  const java = new JavaInstall("java", { chatServers });
  const hazelcast = new HazelcastConfig("hazelcast", { chatServers, share, release, ...deployment.hazelcast });
  new UfwRules("firewall", { chatServers, loadBalancers, sources: firewall.sources, publicPort: port });
  const chat = new ClientMessengerService("client-messenger", {
    chatServers,
    share,
    release,
    database: pulumi.secret(database),
    hazelcastPassword: hazelcast.password,
    loads: [...java.installed, ...hazelcast.written],
  });
  const haproxy = new HaproxyChatFrontend("haproxy", {
    loadBalancers,
    chatServers,
    scheme: visitors.scheme,
    port,
    certificate: visitors.certificate,
    portalFrontend: whatsapp?.frontend,
    after: chat.running,
  });
  if (whatsapp && tyntec) {
    const apiKey = pulumi.secret(tyntec.apiKey);
    new TynTecWebhooks("tyntec", { ...tyntec, apiKey, portal: whatsapp.portal, after: haproxy.loaded });
  }
};

const sshHost = ({ ssh, onDrift }: Deployment, host: HostConfig & { interface?: string | undefined }): Host =>
  new Host({ ...host, user: ssh.user, onDrift });
