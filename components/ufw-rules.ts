import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { document } from "../render/document.ts";
import { allow, hazelcastPorts } from "../render/firewall.ts";
import { chatPort } from "../render/haproxy.ts";

/** What {@link UfwRules} needs to know. */
export interface UfwRulesArgs {
  /** Hosts that run ClientMessenger and a Hazelcast member. */
  chatServers: Host[];
  /** Hosts that terminate visitors' connections. */
  loadBalancers: Host[];
  /** Networks that may reach the Hazelcast members and chat itself. @default the hosts' own addresses */
  sources?: string[] | undefined;
  /** Port on which visitors reach chat. */
  publicPort: number;
}

/**
 * The firewall rules of chat: 5701:5801/tcp (Hazelcast) and 3000/tcp (chat) on chat servers, the public port on load balancers.
 *
 * Hazelcast has no authentication worth its name, so by default only the cluster's own addresses reach it, and only load
 * balancers reach chat. A host's `interface` limits its rules further. Adds allows and removes its own, nothing else;
 * ufw is never enabled.
 *
 * Vendor page "CHAT role", step Firewall; ufw(8).
 */
export class UfwRules extends ComponentResource {
  /** One step per host. */
  readonly allowed: Step[];

  constructor(name: string, args: UfwRulesArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:UfwRules", name, {}, opts);
    const hosts = [...new Set([...args.chatServers, ...args.loadBalancers])];
    this.allowed = hosts.map((host) => host.step("firewall", ruleset(rulesOf(host, args)), { parent: this }));
    this.registerOutputs();
  }
}

const ruleset = (rules: string[]): string => document({ kind: "firewall", name: "ufw", fields: { rules } });

const rulesOf = (host: Host, args: UfwRulesArgs): string[] => [
  ...(args.chatServers.includes(host) ? chatServerRules(host, args) : []),
  ...(args.loadBalancers.includes(host) ? [allow({ port: args.publicPort })] : []),
];

const chatServerRules = (host: Host, { chatServers, loadBalancers, sources }: UfwRulesArgs): string[] => {
  const limited = host.interface ? { interface: host.interface } : {};
  const from = (hosts: Host[]) => sources ?? (host.interface ? [undefined] : hosts.map(({ address }) => address));
  return [
    ...from(chatServers).map((source) => allow({ port: hazelcastPorts, source, ...limited })),
    ...from(loadBalancers).map((source) => allow({ port: chatPort, source, ...limited })),
  ];
};
