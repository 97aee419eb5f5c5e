import type { Deployment } from "./schema.ts";

/** Where ClientMessenger listens on every chat server; it cannot be changed. HAProxy connects there, the firewall opens it. */
export const chatPort = 3000;

/** The port on which visitors reach chat: 3003 over https and 3000 over http, unless set. */
export const publicPort = ({ public: { scheme, port } }: Deployment): number =>
  port ?? (scheme === "https" ? 3003 : 3000);

/** Every port on which HAProxy listens for visitors of chat: the public one, that of the redirect, those of further addresses. */
export const publicPorts = (deployment: Deployment): number[] => {
  const { redirectFrom, binds } = deployment.haproxy;
  const further = binds.map((bind) => placeOf(bind).port);
  return [...new Set([publicPort(deployment), ...(redirectFrom ? [redirectFrom] : []), ...further])];
};

/** Of an entry of `haproxy.binds`, as the schema allows them: `[::]:3003 v6only` gives `[::]` and 3003. */
export const placeOf = (bind: string): { address: string; port: number } => {
  const [, address = "", port] = bind.match(/^(.*?):(\d+)(?: |$)/) ?? [];
  return { address, port: Number(port) };
};
