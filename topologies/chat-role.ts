import { ClientMessengerService } from "../components/client-messenger-service.ts";
import { DrainAgent } from "../components/drain-agent.ts";
import { HaproxyChatFrontend } from "../components/haproxy-chat-frontend.ts";
import { HazelcastConfig } from "../components/hazelcast-config.ts";
import { JavaInstall } from "../components/java-install.ts";
import { Rollout } from "../components/rollout.ts";
import { TynTecWebhooks } from "../components/tyntec-webhooks.ts";
import { UfwRules } from "../components/ufw-rules.ts";
import { publicPort, publicPorts } from "../config/ports.ts";
import type { Deployment, HostConfig } from "../config/schema.ts";
import { tyntecUrl } from "../config/tyntec-url.ts";
import { Host } from "../hosts/host.ts";
import type { Look } from "../hosts/look/look.ts";
import { observedHost } from "../hosts/look/observed-host.ts";
import type { Needs } from "../render/client-messenger/resources.ts";

/** A topology's decisions: which hosts run chat, which run HAProxy, and what a chat server needs. */
export interface Roles {
  /** Hosts that run ClientMessenger and a Hazelcast member. */
  chatServers: Host[];
  /** Hosts that run HAProxy in front of ClientMessenger. A host may be in both lists. */
  loadBalancers: Host[];
  /** Memory, cores and disk that the vendor asks for on one chat server. */
  needs: Needs;
}

/**
 * Creates the CHAT role in the order of the vendor's page, but the firewall before Hazelcast: Java, firewall, Hazelcast,
 * ClientMessenger, HAProxy, TynTec. Where the stack drains, the agent that HAProxy asks comes before Hazelcast, too. All of it is registered with the look, which the program then closes.
 */
export const chatRole = (deployment: Deployment, look: Look, { chatServers, loadBalancers, needs }: Roles): void => {
  const { public: visitors, share, database, firewall, whatsapp, tyntec } = deployment;
  const { release, unit, restart, drain } = deployment.clientMessenger;
  const drainPort = drain?.port;

  const java = new JavaInstall("java", { ...deployment.java, chatServers });
  // Before Hazelcast, which waits for the servers before it: those want to be let in here.
  const { allowed } = new UfwRules("firewall", {
    ...firewall,
    chatServers,
    loadBalancers,
    publicPorts: publicPorts(deployment),
    drainPort,
  });
  const rollout = new Rollout(drain ? allowed : []);
  if (drain) new DrainAgent("drain", { chatServers, loadBalancers, drain, check: deployment.haproxy.check, restart });
  const hazelcast = new HazelcastConfig("hazelcast", { ...deployment.hazelcast, chatServers, share, release, rollout });
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
    rollout,
  });
  const haproxy = new HaproxyChatFrontend("haproxy", {
    loadBalancers,
    chatServers,
    ...visitors,
    port: publicPort(deployment),
    options: deployment.haproxy,
    drainPort,
    portalFrontend: whatsapp?.frontend,
    portalName: whatsapp && new URL(whatsapp.portal).hostname,
    after: chat.running,
  });
  if (whatsapp && tyntec) {
    new TynTecWebhooks("tyntec", {
      ...tyntec,
      url: tyntecUrl(tyntec),
      look,
      onDrift: deployment.onDrift,
      portal: whatsapp.portal,
      after: haproxy.loaded,
    });
  }
};

/** Makes a `Host` from its entry in the stack file. */
export const sshHost = (deployment: Deployment, look: Look, host: HostConfig): Host =>
  new Host({ ...observedHost(deployment, host), look });
