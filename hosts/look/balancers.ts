import type { SeenHost } from "./look-at-host.ts";

/**
 * What a chat server has to know of a load balancer before it drains. `spared`: a person has it in maintenance or drained there,
 * and `ready` after our drain would end that. `alone`: a person has all other chat servers so, and nothing could take its chats.
 */
export type Balancer = "spared" | "alone";

/** What no host knows by itself. */
interface SeenBalancers {
  /** By the name of a chat server, and of a load balancer. */
  told: Map<string, Map<string, Balancer>>;
  /** For a person. */
  warnings: string[];
}

/**
 * Finds which load balancers have chat servers out of service for a person.
 *
 * HAProxy does not tell an agent's drain from a person's. So a server that is drained, while its own look says that it drains, is
 * ours; and one that nobody drains may also be what an agent has left that was removed by hand.
 */
export const seenBalancers = (hosts: SeenHost[]): SeenBalancers => {
  const facts = new Map(hosts.map(({ name, answers }) => [name, Object.values(answers).flatMap(factsOf)]));
  const chatServers = hosts.filter(({ answers }) => answers.drain).map(({ name }) => name);
  const told: SeenBalancers["told"] = new Map(chatServers.map((name) => [name, new Map()]));
  const warnings = new Set<string>();
  for (const [loadBalancer, said] of facts) {
    const out = new Map(said.filter(([key]) => key.startsWith("admin:")).map(([key, how]) => [key.slice(6), how]));
    for (const [chatServer, how] of out) {
      const drains = facts.get(chatServer)?.some(([key]) => key.startsWith("draining:"));
      if (how === "drain" && drains) out.delete(chatServer);
      else warnings.add(warning(loadBalancer, chatServer, how));
    }
    for (const name of chatServers) {
      if (out.has(name)) told.get(name)?.set(loadBalancer, "spared");
      else if (out.size && chatServers.every((other) => other === name || out.has(other)))
        told.get(name)?.set(loadBalancer, "alone");
    }
  }
  return { told, warnings: [...warnings] };
};

const factsOf = ({ facts }: SeenHost["answers"][string]) => Object.entries(facts);

const warning = (loadBalancer: string, chatServer: string, how: string): string => {
  const back = `To bring it back: echo 'set server backend_chat_ws/${chatServer} state ready' to HAProxy's socket`;
  const [is, why] =
    how === "maint"
      ? ["in maintenance", "Somebody has done that"]
      : ["drained", "Nobody drains it now: somebody has done that, or an agent was removed while it drained"];
  return `${loadBalancer}: ${chatServer} is ${is} there. ${why}, and it stays so. ${back}`;
};
