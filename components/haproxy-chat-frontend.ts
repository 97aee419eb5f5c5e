import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { document } from "../render/document.ts";
import { chatSections, whatsappRules } from "../render/haproxy.ts";

/** What {@link HaproxyChatFrontend} needs to know. */
export interface HaproxyChatFrontendArgs {
  /** All load balancers of the pair: they always get the same configuration. */
  loadBalancers: Host[];
  /** The servers of the backend. */
  chatServers: Host[];
  /** How visitors connect. */
  scheme: "https" | "http";
  /** Port of the frontend. */
  port: number;
  /** PEM with key and chain on the load balancers. */
  certificate: string;
  /** The portal's https frontend, which gets `/incoming` and `/delivery`; unset without WhatsApp. */
  portalFrontend?: string | undefined;
  /** Chat has to run before HAProxy checks it: a server that is down at the reload stays out for a minute or two. */
  after: Step[];
}

/**
 * The chat frontend and backend in every load balancer's `haproxy.cfg`, and WhatsApp's rules inside the portal's frontend.
 *
 * The file belongs to the customer: only marked blocks of ours change. The candidate is checked by `haproxy -c`, the reload
 * verified on the running process; open WebSockets survive it.
 *
 * Vendor page "CHAT role", steps HAProxy and WhatsApp.
 */
export class HaproxyChatFrontend extends ComponentResource {
  /** One step per load balancer; a failure on one stops before the next. */
  readonly loaded: Step[] = [];

  constructor(name: string, args: HaproxyChatFrontendArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:HaproxyChatFrontend", name, {}, opts);
    const text = haproxyDocument(args);
    for (const host of args.loadBalancers) {
      this.loaded.push(host.step("haproxy", text, { parent: this, after: [...args.after, ...this.loaded.slice(-1)] }));
    }
    this.registerOutputs();
  }
}

const haproxyDocument = ({ chatServers, portalFrontend, ...frontend }: HaproxyChatFrontendArgs): string =>
  document({
    kind: "haproxy",
    name: "/etc/haproxy/haproxy.cfg",
    fields: {
      certificate: frontend.scheme === "https" ? frontend.certificate : undefined,
      listen: [`127.0.0.1:${frontend.port}`],
      portal: portalFrontend,
      rules: portalFrontend ? whatsappRules : undefined,
      sections: chatSections({ ...frontend, servers: chatServers }),
    },
  });
