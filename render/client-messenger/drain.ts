import { chatPort } from "../../config/ports.ts";
import type { Drain, HaproxyOptions, Restart } from "../../config/schema.ts";
import { seconds } from "../../config/seconds.ts";
import { document } from "../document.ts";
import { unitName } from "./places.ts";

/** A host by the name that a person knows. */
interface NamedHost {
  address: string;
  name: string;
}

/** How a chat server drains before it is restarted. */
export interface DrainStep {
  drain: Drain;
  /** The servers that drain one after the other, and share `drain.total`. */
  chatServers: NamedHost[];
  /** Who asks the agent. */
  loadBalancers: NamedHost[];
  /** HAProxy's checks, which have to find a restarted server up before the next one drains. */
  check: HaproxyOptions["check"];
  /** With `hold` nothing is restarted, so nothing is drained. */
  restart: Restart;
}

/** The agent that HAProxy asks, and for how long is waited for sessions. */
export const drainDocument = ({ drain, chatServers, loadBalancers, check, restart }: DrainStep): string => {
  const share = drain.total ? seconds(drain.total) / chatServers.length : Number.POSITIVE_INFINITY;
  return document({
    kind: "drain",
    name: unitName,
    fields: {
      port: String(drain.port),
      sessions: String(chatPort),
      deadline: String(Math.floor(Math.min(seconds(drain.deadline), share))),
      idle: String(seconds(drain.idle)),
      "at-deadline": drain.atDeadline,
      // Two good checks in a row mean up (configuration.txt 5.2, "rise"); the second comes after `fastinter`.
      settle: String(Math.ceil(seconds(check.downinter) + seconds(check.fastinter)) + 1),
      restart: restart === "hold" ? "hold" : undefined,
      "load-balancers": loadBalancers.map(line),
      "chat-servers": chatServers.map(line),
    },
  });
};

const line = ({ address, name }: NamedHost): string => `${address} ${name}`;
