import { ClientMessengerService } from "../components/client-messenger-service.ts";
import { HaproxyChatFrontend } from "../components/haproxy-chat-frontend.ts";
import { HazelcastConfig } from "../components/hazelcast-config.ts";
import { JavaInstall } from "../components/java-install.ts";
import { TynTecWebhooks } from "../components/tyntec-webhooks.ts";
import { UfwRules } from "../components/ufw-rules.ts";
import { publicPort, publicPorts } from "../config/ports.ts";
import type { Deployment, HostConfig } from "../config/schema.ts";
import { Host } from "../hosts/host.ts";
import type { Look } from "../hosts/look/look.ts";
import type { Needs } from "../render/client-messenger/resources.ts";

/** What a topology decides: which hosts do what, and what chat may ask of them. */
export interface Roles {
  /** Hosts that run ClientMessenger and a Hazelcast member. */
  chatServers: Host[];
  /** Hosts with HAProxy in front of it; a host may be both. */
  loadBalancers: Host[];
  /** The vendor's resources for one chat server. */
  needs: Needs;
}

/** The CHAT role, in the order of the vendor's page. All of it is registered with the look, which the program then closes. */
export const chatRole = (deployment: Deployment, look: Look, { chatServers, loadBalancers, needs }: Roles): void => {
  const { public: visitors, share, database, firewall, whatsapp, tyntec } = deployment;
  const { release, unit, restart } = deployment.clientMessenger;

  const java = new JavaInstall("java", { ...deployment.java, chatServers });
  const hazelcast = new HazelcastConfig("hazelcast", { ...deployment.hazelcast, chatServers, share, release });
  new UfwRules("firewall", { ...firewall, chatServers, loadBalancers, publicPorts: publicPorts(deployment) });
  const chat = new ClientMessengerService("client-messenger", {
    chatServers,
    share,
    release,
    unit,
    restart,
    needs: { ...needs, accept: deployment.resources.accept },
    database,
    hazelcastPassword: hazelcast.password,
    javaVersion: deployment.java.version,
    loads: [...java.installed, ...hazelcast.written],
  });
  const haproxy = new HaproxyChatFrontend("haproxy", {
    loadBalancers,
    chatServers,
    ...visitors,
    port: publicPort(deployment),
    options: deployment.haproxy,
    portalFrontend: whatsapp?.frontend,
    portalName: whatsapp && new URL(whatsapp.portal).hostname,
    after: chat.running,
  });
  if (whatsapp && tyntec) {
    new TynTecWebhooks("tyntec", {
      ...tyntec,
      look,
      onDrift: deployment.onDrift,
      portal: whatsapp.portal,
      after: haproxy.loaded,
    });
  }
};

/** A host of the stack file, reached as the stack says. */
export const sshHost = ({ ssh, onDrift }: Deployment, look: Look, host: HostConfig): Host =>
  new Host({ ...host, user: ssh.user, onDrift, look });
