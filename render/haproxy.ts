import { fill } from "./template.ts";

/** What the chat sections of a haproxy.cfg are made of. */
export interface ChatFrontend {
  scheme: "https" | "http";
  /** Public port of the frontend. */
  port: number;
  /** PEM with key and chain, for https. */
  certificate: string;
  /** The backend's servers, in stack order. */
  servers: { name: string; address: string }[];
}

/** Where ClientMessenger listens; HAProxy connects there and the firewall opens it. */
export const chatPort = 3000;

/** Global, frontend and backend of chat, as they end in haproxy.cfg (vendor page "HAProxy"; `timeout tunnel`: configuration.txt 4.2). */
export const chatSections = ({ scheme, port, certificate, servers }: ChatFrontend): string =>
  fill("etc/haproxy/haproxy.cfg", {
    frontend: scheme === "https" ? "acdportal_chat_wss" : "acdportal_chat_ws",
    bind: scheme === "https" ? `:${port} ssl crt ${certificate}` : `:${port}`,
    servers: servers.map((server) => serverLine(server)),
  });

/** One `server` line: `server chatserver1 10.1.0.21:3000 weight 1 check inter 1m`. */
const serverLine = ({ name, address }: { name: string; address: string }): string =>
  `server ${name} ${address.includes(":") ? `[${address}]` : address}:${chatPort} weight 1 check inter 1m fastinter 2s downinter 2s`;

/** The rules that send TynTec's calls from the portal's frontend to chat (vendor page "WhatsApp"). */
export const whatsappRules = [
  "acl whatsapp_req path /incoming",
  "acl whatsapp_req path /delivery",
  "use_backend backend_chat_ws if whatsapp_req",
];
