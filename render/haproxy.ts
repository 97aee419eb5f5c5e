import { chatPort } from "../config/ports.ts";
import type { HaproxyOptions } from "../config/schema.ts";
import { callbackPaths } from "./callback-paths.ts";
import { document } from "./document.ts";
import { fill } from "./template.ts";

/** What the chat sections of a haproxy.cfg are made of. */
export interface ChatFrontend {
  scheme: "https" | "http";
  /** Public name, where a redirect leads. */
  host?: string;
  /** Public port of the frontend. */
  port: number;
  /** PEM with key and chain, for https. */
  certificate: string;
  /** The portal's frontend, where it has WhatsApp's rules: they are proven by a request that the backend answers. */
  portalFrontend?: string | undefined;
  /** The backend's servers, in stack order. */
  servers: { name: string; address: string }[];
  options: HaproxyOptions;
  /** Port of the agent that says whether a server drains; unset where the stack has no drain. */
  drainPort?: number | undefined;
}

/** What the step depends on: the sections, and what a load balancer has to prove of them. */
export interface HaproxyStep extends ChatFrontend {
  /** The name that visitors use: the certificate has to have it. */
  host: string;
  /** The portal's public name, by which TynTec calls. */
  portalName?: string | undefined;
  /** Whether there are several load balancers. */
  redundant: boolean;
}

/** Chat's sections, and WhatsApp's rules inside the portal's frontend. */
export const haproxyDocument = (step: HaproxyStep): string => {
  const { scheme, host, certificate, portalFrontend, portalName, redundant } = step;
  return document({
    kind: "haproxy",
    name: "/etc/haproxy/haproxy.cfg",
    fields: {
      certificate: scheme === "https" ? certificate : undefined,
      public: host,
      redundant: redundant ? "yes" : undefined,
      portal: portalFrontend,
      "portal-name": portalFrontend && portalName,
      rules: portalFrontend ? whatsappRules : undefined,
      sections: chatSections(step),
    },
  });
};

/** Global, frontends and backend of chat, as they end in haproxy.cfg (vendor page "HAProxy"; configuration.txt 4.2, 5.1, 5.2). */
export const chatSections = (frontend: ChatFrontend): string => {
  const { scheme, port, certificate, portalFrontend, servers, options } = frontend;
  const alpn = options.alpn ? ` alpn ${options.alpn.join(",")}` : "";
  const tls = scheme === "https" ? ` ssl crt ${certificate}${alpn}` : "";
  return fill("etc/haproxy/haproxy.cfg", {
    ...options,
    frontend: scheme === "https" ? "acdportal_chat_wss" : "acdportal_chat_ws",
    binds: [`:${port}`, ...options.binds].map((bind) => `${bind}${tls}${proxy(options)}`),
    redirect: redirect(frontend),
    portalFrontend,
    servers: servers.map((server) => serverLine(server, frontend)),
  });
};

const proxy = ({ acceptProxy }: HaproxyOptions): string => (acceptProxy ? " accept-proxy" : "");

/** The frontend that leads plain http to https: to the public name, since a Host header may hold another port. */
const redirect = ({ host, port, options }: ChatFrontend) => {
  const { redirectFrom } = options;
  if (!redirectFrom) return undefined;
  if (!host) throw new Error(`Expected a public name for the redirect from port ${redirectFrom}, got none`);
  return { bind: `:${redirectFrom}${proxy(options)}`, to: `https://${bracketed(host)}:${port}` };
};

/** One `server` line: `server chatserver1 10.1.0.21:3000 weight 1 check inter 2s fastinter 500ms downinter 2s`. */
const serverLine = (
  { name, address }: { name: string; address: string },
  { options: { weights, check: times }, drainPort }: ChatFrontend,
): string => {
  const { inter, fastinter, downinter, shutdownSessions } = times;
  const down = shutdownSessions ? " on-marked-down shutdown-sessions" : "";
  // Without an interval of its own, the agent would be asked every `inter`. And a connection that HAProxy keeps after a request
  // would look like a session.
  const agent = drainPort ? ` agent-check agent-port ${drainPort} agent-inter 1s pool-max-conn 0` : "";
  const check = `check inter ${inter} fastinter ${fastinter} downinter ${downinter}${agent}${down}`;
  return `server ${name} ${bracketed(address)}:${chatPort} weight ${weights[name] ?? 1} ${check}`;
};

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** The rules that send TynTec's calls from the portal's frontend to chat (vendor page "WhatsApp"). */
export const whatsappRules = [
  ...Object.values(callbackPaths).map((path) => `acl whatsapp_req path ${path}`),
  "use_backend backend_chat_ws if whatsapp_req",
];
