import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Drain, HaproxyOptions, Restart } from "../config/schema.ts";
import type { Host } from "../hosts/host.ts";
import { drainDocument } from "../render/client-messenger/drain.ts";

/** What {@link DrainAgent} needs to know. */
export interface DrainAgentArgs {
  /** Hosts that drain before ClientMessenger is restarted there. */
  chatServers: Host[];
  /** Hosts whose HAProxy asks them. */
  loadBalancers: Host[];
  /** How long is waited for sessions, and what happens then. */
  drain: Drain;
  /** HAProxy's checks of the chat servers. */
  check: HaproxyOptions["check"];
  /** Whether ClientMessenger is restarted at all. */
  restart: Restart;
}

/**
 * The agent on every chat server that HAProxy asks each second whether the server drains, and how long a restart waits.
 *
 * The drain itself is part of the steps that change what ClientMessenger loads: the first one that really changes
 * something waits before its first write. So this comes before them, to all servers at once: it restarts nothing.
 */
export class DrainAgent extends ComponentResource {
  constructor(name: string, args: DrainAgentArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:DrainAgent", name, {}, opts);
    const document = drainDocument(args);
    for (const host of args.chatServers) host.step("drain", document, { parent: this });
    this.registerOutputs();
  }
}
