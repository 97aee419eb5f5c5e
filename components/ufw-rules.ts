import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { firewallDocument } from "../render/firewall.ts";

/** What {@link UfwRules} needs to know. */
export interface UfwRulesArgs {
  /** Hosts that run ClientMessenger and a Hazelcast member. */
  chatServers: Host[];
  /** Hosts that terminate visitors' connections. */
  loadBalancers: Host[];
  /** Networks that may reach the Hazelcast members and chat itself, or `any`. @default the hosts' own addresses */
  sources?: string[] | "any" | undefined;
  /** Ports on which visitors reach chat. */
  publicPorts: number[];
  /** Port of the agent that load balancers ask whether a chat server drains. @default none */
  drainPort?: number | undefined;
  /** Switch ufw on where it is off. @default false */
  enable?: boolean | undefined;
}

/**
 * The firewall rules of chat: 5701:5801/tcp (Hazelcast) and 3000/tcp (chat) on chat servers, the public ports on load balancers.
 *
 * Hazelcast has no authentication worth its name, so by default only the cluster's own addresses reach it, and only load
 * balancers reach chat; `sources: any` is the vendor's text. A host's `interface` limits these rules further. A member
 * outside that is connected now is named in the preview, and never cut off. Adds allows and removes its own, nothing else.
 *
 * ufw is switched on only with `enable`: after ssh's own rule, and off again by itself unless a second connection gets in.
 *
 * Vendor page "CHAT role", step Firewall; ufw(8).
 */
export class UfwRules extends ComponentResource {
  /** One step per host. */
  readonly allowed: Step[];

  constructor(name: string, args: UfwRulesArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:UfwRules", name, {}, opts);
    const hosts = [...new Set([...args.chatServers, ...args.loadBalancers])];
    this.allowed = hosts.map((host) => host.step("firewall", documentOf(host, args), { parent: this }));
    this.registerOutputs();
  }
}

const documentOf = (host: Host, { chatServers, loadBalancers, ...rest }: UfwRulesArgs): string =>
  firewallDocument(
    { chat: chatServers.includes(host), loadBalancer: loadBalancers.includes(host), interface: host.interface },
    { ...rest, chatServers: addresses(chatServers), loadBalancers: addresses(loadBalancers) },
  );

const addresses = (hosts: Host[]): string[] => hosts.map(({ address }) => address);
