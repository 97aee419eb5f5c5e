import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { HaproxyOptions } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import { haproxyDocument } from "../render/haproxy.ts";

/** What {@link HaproxyChatFrontend} needs to know. */
export interface HaproxyChatFrontendArgs {
  /** All load balancers. They get the same configuration, in this order but the active ones last. */
  loadBalancers: Host[];
  /** The servers of the backend. */
  chatServers: Host[];
  /** How visitors connect. */
  scheme: "https" | "http";
  /** The name that visitors use: the certificate has to have it. */
  host: string;
  /** Port of the frontend. */
  port: number;
  /** PEM with key and chain on the load balancers, or a directory of such. */
  certificate: string;
  /** Times, addresses and limits. */
  options: HaproxyOptions;
  /** Port of the chat servers' agent; unset where the stack has no drain. */
  drainPort?: number | undefined;
  /** The portal's https frontend, which gets TynTec's calls; unset without WhatsApp. */
  portalFrontend?: string | undefined;
  /** The portal's public name, by which TynTec calls. */
  portalName?: string | undefined;
  /** Chat has to run before HAProxy checks it: a server that is down at the reload stays out for a minute or two. */
  after: Step[];
}

/**
 * The chat frontend and backend in every load balancer's `haproxy.cfg`, and WhatsApp's rules inside the portal's frontend.
 *
 * The file belongs to the customer: only marked blocks of ours change. The candidate is checked by `haproxy -c`, and for what
 * that does not see (ports, chroot, certificate); the reload is verified by requests to the running process, the portal's
 * among them. Open WebSockets survive it.
 *
 * Vendor page "CHAT role", steps HAProxy and WhatsApp.
 */
export class HaproxyChatFrontend extends ComponentResource {
  /** One step per load balancer, one after the other: a failure on one stops before the next. */
  readonly loaded: Step[];

  constructor(name: string, args: HaproxyChatFrontendArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:HaproxyChatFrontend", name, {}, opts);
    const { loadBalancers, chatServers: servers } = args;
    const document = haproxyDocument({ ...args, servers, redundant: loadBalancers.length > 1 });
    const order = Promise.withResolvers<Step[]>();
    const earlier = async (host: Host) => {
      const steps = await order.promise;
      const index = steps.findIndex((step) => step.host === host);
      return [...args.after, ...steps.slice(0, index)];
    };
    this.loaded = loadBalancers.map((host) => host.step("haproxy", document, { parent: this, after: earlier(host) }));
    order.resolve(activeLast(this.loaded));
    this.registerOutputs();
  }
}

/** What a change breaks is to break where nobody comes: which load balancer that is, the hosts say. */
const activeLast = async (steps: Step[]): Promise<Step[]> => {
  const active = await Promise.all(steps.map((step) => step.active()));
  return [...steps.filter((_, index) => !active[index]), ...steps.filter((_, index) => active[index])];
};
