import type { Layer } from "./image.ts";

/** Public names of the lab's customer; both lead to the load balancer. */
export const portal = "portal.lab.example";
export const chat = "chat.lab.example";

/** What one host of the lab is. */
export interface HostPlan {
  /** Last number of its address. */
  number: number;
  layer: Layer;
  /** Further names that all hosts know it by. */
  aliases: string[];
  /** Ports, besides ssh, that answer when it is up. */
  ports: number[];
  /** Whether the share is mounted on it. */
  share: boolean;
  /** Boots only when it is asked for. */
  spare?: boolean;
}

const chatServer: Omit<HostPlan, "number"> = { layer: "base", aliases: [], ports: [], share: true };

/** Chat servers of a large customer, for the measurement with ten hosts. */
const furtherChatServers = Object.fromEntries(
  [3, 4, 5, 6, 7, 8].map((number) => [`chatserver${number}`, { ...chatServer, number: 20 + number, spare: true }]),
);

/** The hosts, under the names that the vendor's documentation uses. */
export const inventory: Record<string, HostPlan> = {
  lb1: { number: 11, layer: "haproxy", aliases: ["acd-lb", chat, portal], ports: [80, 443, 7777], share: true },
  lb2: { number: 12, layer: "haproxy", aliases: [], ports: [80, 443, 7777], share: true, spare: true },
  chatserver1: { ...chatServer, number: 21, aliases: ["acd-chat"] },
  chatserver2: { ...chatServer, number: 22 },
  ...furtherChatServers,
  "acd-dbm": { number: 31, layer: "mariadb", aliases: ["acd-jb1", "acd-store"], ports: [3306, 8080], share: false },
};

export const addressOf = (subnet: string, host: string): string => `${subnet}.${planOf(host).number}`;

/** @throws when the lab has no such host */
export const planOf = (host: string): HostPlan => {
  const plan = inventory[host];
  if (!plan) throw new Error(`lab: no host "${host}"; there are ${Object.keys(inventory).join(", ")}`);
  return plan;
};

/** The same /etc/hosts for every host: the lab has no name server. */
export const hostsFile = (subnet: string): string => {
  const lines = Object.entries(inventory).map(
    ([name, { aliases }]) => `${addressOf(subnet, name)}\t${[name, ...aliases].join(" ")}`,
  );
  return ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost", `${subnet}.1\ttyntec.lab.example`, ...lines, ""].join(
    "\n",
  );
};
