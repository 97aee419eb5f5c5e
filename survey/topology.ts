import type { Deployment } from "../config/schema.ts";
import type { Surveyed } from "./survey-host.ts";

/** Which hosts of a customer would do what, and why. */
export interface Proposal {
  topology: Deployment["topology"];
  why: string;
  loadBalancers: Surveyed[];
  /** Empty with lb-hosted, as in a stack file. */
  chatServers: Surveyed[];
  /** Of a host by its name, e.g. `HAProxy has 3 frontends`. */
  reasons: Map<string, string>;
}

/**
 * Proposes a topology for the hosts of one customer: chat stays where it runs; else it comes to hosts of its own where there are
 * some, else to the web servers, else to the load balancers.
 *
 * Undefined where no host is a load balancer: there is no role without one.
 */
export const proposed = (hosts: Surveyed[]): Proposal | undefined => {
  const reasons = new Map<string, string>();
  const having = (why: (host: Surveyed) => string | undefined): Surveyed[] =>
    hosts.filter((host) => {
      const reason = why(host);
      if (reason && !reasons.has(host.entry.name)) reasons.set(host.entry.name, reason);
      return reason !== undefined;
    });
  const chat = having(runsChat);
  const loadBalancers = having(balances);
  const web = having(servesPortal);
  if (!loadBalancers.length) return undefined;
  const idle = hosts.filter((host) => !isOther(host) && ![...loadBalancers, ...web].includes(host));
  const servers = chat.length ? chat : idle.length ? idle : web.length ? web : loadBalancers;
  for (const { entry } of servers) if (!reasons.has(entry.name)) reasons.set(entry.name, "nothing else runs there");
  const among = (others: Surveyed[]) => servers.every((host) => others.includes(host));
  const found = chat.length ? "chat runs there already" : "chat runs nowhere yet";
  if (among(loadBalancers))
    return { topology: "lb-hosted", why: found, loadBalancers: servers, chatServers: [], reasons };
  const topology = among(web) ? "co-located" : "separate-server";
  return { topology, why: found, loadBalancers, chatServers: servers, reasons };
};

const runsChat = ({ entry, facts }: Surveyed): string | undefined => {
  const chat = facts?.chat;
  if (chat?.unit === "by hand") return `chat was installed there by hand${chat.active ? ", and runs" : ""}`;
  if (chat?.installed) return "ClientMessenger is installed there";
  return entry.roles.includes("chat") ? "the inventory says chat" : undefined;
};

const balances = ({ entry, facts }: Surveyed): string | undefined => {
  const names = facts?.haproxy?.frontends.map(({ name }) => name) ?? [];
  if (names.length) return `HAProxy has ${names.slice(0, 5).join(", ")}`;
  return entry.roles.includes("loadBalancer") ? "the inventory says loadBalancer" : undefined;
};

const servesPortal = ({ entry, facts }: Surveyed): string | undefined => {
  if (facts?.ports.some(({ port, program }) => port === 8080 && program === "java"))
    return "the portal listens on 8080";
  return entry.roles.includes("web") ? "the inventory says web" : undefined;
};

const isOther = ({ entry: { roles }, facts }: Surveyed): boolean =>
  roles.includes("database") ||
  roles.includes("storage") ||
  Boolean(facts?.ports.some(({ port, program }) => port === 3306 && /^(?:mysqld|mariadbd)$/.test(program)));
