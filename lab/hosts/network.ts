import { once } from "node:events";
import { connect } from "node:net";
import { execa } from "execa";

/** Pools to choose a lab's /24 from, the first two numbers each. */
const pools = ["10.77", "172.29", "192.168"];

const ip = async (...args: string[]): Promise<string> => (await execa("ip", args)).stdout;

/**
 * The first /24 that overlaps nothing this machine has a route to, as its first three numbers ("10.77.1").
 * The caller holds the lock under which the bridge is made, so that no two labs choose the same.
 */
export const freeSubnet = async (): Promise<string> => {
  const routes: { dst: string }[] = JSON.parse(await ip("-4", "-json", "route", "show", "table", "all"));
  const taken = routes.filter(({ dst }) => dst !== "default").map(({ dst }) => range(dst));
  for (const pool of pools)
    for (let third = 1; third < 255; third++) {
      const [first, last] = range(`${pool}.${third}.0/24`);
      if (taken.every(([from, to]) => to < first || from > last)) return `${pool}.${third}`;
    }
  throw new Error(`lab: no free /24 in ${pools.join(", ")}: see "ip route"`);
};

/** First and last address of "10.1.0.0/16" as numbers. */
const range = (network: string): [number, number] => {
  const [address = "", bits = "32"] = network.split("/");
  const size = 2 ** (32 - Number(bits));
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = number - (number % size);
  return [first, first + size - 1];
};

const exists = async (...args: string[]): Promise<boolean> =>
  (await execa("ip", args, { reject: false })).exitCode === 0;

/** The lab's bridge; the controller's own address on it ends in 1. There is no route from it to anywhere else. */
export const ensureBridge = async (bridge: string, subnet: string): Promise<void> => {
  if (await exists("link", "show", bridge)) return;
  await ip("link", "add", bridge, "type", "bridge");
  await ip("address", "add", `${subnet}.1/24`, "dev", bridge);
  await ip("link", "set", bridge, "up");
};

/** A network namespace with one interface, `eth0`, plugged into the bridge. It survives a reboot of the host in it. */
export const ensureNamespace = async (namespace: string, bridge: string, address: string): Promise<void> => {
  if (await exists("netns", "exec", namespace, "ip", "link", "show", "eth0")) return;
  await removeNamespace(namespace, bridge, address);
  await ip("netns", "add", namespace);
  const port = bridgePort(bridge, address);
  await ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("link", "set", port, "master", bridge, "up");
  await ip("-n", namespace, "link", "set", "lo", "up");
  await ip("-n", namespace, "address", "add", `${address}/24`, "dev", "eth0");
  await ip("-n", namespace, "link", "set", "eth0", "up");
};

const bridgePort = (bridge: string, address: string): string => `${bridge}.${address.split(".").at(-1)}`;

/** Removes a namespace and its veth pair, if they are there. The kernel would remove the pair too, but some time later. */
export const removeNamespace = async (namespace: string, bridge: string, address: string): Promise<void> => {
  await execa("ip", ["link", "delete", bridgePort(bridge, address)], { reject: false });
  await execa("ip", ["netns", "delete", namespace], { reject: false });
};

export const removeBridge = async (bridge: string): Promise<void> => {
  await execa("ip", ["link", "delete", bridge], { reject: false });
};

/** Whether something accepts connections there; undefined when not, to be used with `until`. */
export const answers = async (address: string, port: number): Promise<true | undefined> => {
  const socket = connect({ host: address, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(1000) });
    return true;
  } finally {
    socket.destroy();
  }
};
