import { chatPort } from "../config/ports.ts";
import { document } from "./document.ts";

/** Hazelcast takes 5701 or the next free port, at most 100 further (Hazelcast manual, "port auto-increment"). */
const hazelcastPorts = "5701:5801";

/**
 * How long a firewall that was switched on waits for a second ssh connection. A load balancer's next step comes only when all
 * chat servers have been installed and restarted; a lock-out, on the other hand, lasts as long as this.
 */
const trial = "30min";

/** Whom a cluster's hosts let in. */
export interface Admission {
  /** Addresses of the chat servers. */
  chatServers: string[];
  /** Addresses of the load balancers. */
  loadBalancers: string[];
  /** Networks that may reach the Hazelcast members and chat itself, or everybody. @default the addresses above */
  sources?: string[] | "any" | undefined;
  /** Ports on which visitors reach chat. */
  publicPorts: number[];
  /** Port of the agent that load balancers ask, and nobody else. With it, chat servers may reach chat, too. @default none */
  drainPort?: number | undefined;
  /** Switch ufw on where it is off. @default false */
  enable?: boolean | undefined;
}

/** One host, as far as its rules go. */
export interface FirewalledHost {
  /** Whether ClientMessenger and its Hazelcast member run here. */
  chat: boolean;
  /** Whether visitors' connections arrive here. */
  loadBalancer: boolean;
  /** Interface that chat's and Hazelcast's rules are limited to; visitors may come through any. @default every one */
  interface?: string | undefined;
}

/** One host's document for the host tool's firewall kind: its rules, `allow 3000/tcp from 10.1.0.11 on eth0`. */
export const firewallDocument = (host: FirewalledHost, admission: Admission): string =>
  document({
    kind: "firewall",
    name: "ufw",
    fields: {
      rules: [
        ...(host.chat ? chatServerRules(host, admission) : []),
        ...(host.loadBalancer ? admission.publicPorts.map((port) => allow({ port })) : []),
      ],
      members: host.chat ? hazelcastPorts : undefined,
      enable: admission.enable ? trial : undefined,
    },
  });

const chatServerRules = (
  { interface: limitedTo }: FirewalledHost,
  { chatServers, loadBalancers, sources, drainPort }: Admission,
): string[] => {
  // A chat server that drains asks whether another one takes connections.
  const callers = drainPort ? [...new Set([...loadBalancers, ...chatServers])] : loadBalancers;
  const from = (addresses: string[]) => (sources === "any" ? [undefined] : (sources ?? addresses));
  return [
    ...from(chatServers).map((source) => allow({ port: hazelcastPorts, source, limitedTo })),
    ...from(callers).map((source) => allow({ port: chatPort, source, limitedTo })),
    ...(drainPort ? loadBalancers.map((source) => allow({ port: drainPort, source, limitedTo })) : []),
  ];
};

/** What one rule lets in over tcp: from one source or everywhere, through one interface or every one. */
interface AllowRule {
  port: number | string;
  source?: string | undefined;
  limitedTo?: string | undefined;
}

const allow = ({ port, source, limitedTo }: AllowRule): string =>
  [`allow ${port}/tcp`, source && `from ${source}`, limitedTo && `on ${limitedTo}`].filter(Boolean).join(" ");
