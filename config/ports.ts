import type { Deployment } from "./schema.ts";

/**
 * The port of ClientMessenger on every chat server, which cannot be changed. HAProxy connects to it; the firewall
 * opens it.
 */
export const chatPort = 3000;

/** The port on which visitors reach chat: `public.port`, or 3003 with https and 3000 with http. */
export const publicPort = ({ public: { scheme, port } }: Deployment): number =>
  port ?? (scheme === "https" ? 3003 : 3000);

/**
 * Every port on which HAProxy listens for visitors of chat: the public port, `haproxy.redirectFrom`, and those of
 * `haproxy.binds`.
 */
export const publicPorts = (deployment: Deployment): number[] => {
  const { redirectFrom, binds } = deployment.haproxy;
  const further = binds.map((bind) => placeOf(bind).port);
  return [...new Set([publicPort(deployment), ...(redirectFrom ? [redirectFrom] : []), ...further])];
};

/**
 * Splits an entry of `haproxy.binds`: `[::]:3003 v6only` gives the address `[::]` and the port 3003; `:3004` gives
 * the address "".
 */
export const placeOf = (bind: string): { address: string; port: number } => {
  const [, address = "", port] = bind.match(/^(.*?):(\d+)(?: |$)/) ?? [];
  return { address, port: Number(port) };
};
