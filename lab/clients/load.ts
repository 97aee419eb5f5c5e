import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Lab } from "../lab.ts";

/** How much goes through the load balancer. */
export interface LoadArgs {
  /** Visitors at one moment. */
  visitors: number;
  /** Seconds that a visitor stays, each a random time between the two. */
  stays: [number, number];
  /** Who stays for the whole time, and comes back when he is cut. @default 0 */
  agents?: number;
}

/** What was seen of it. */
export interface LoadSeen {
  /** Sessions of visitors that came about. */
  opened: number;
  /** Why others did not. */
  failed: string[];
  /** Visitors whose session was cut before they left, and agents, each as often as it happened. */
  cut: number;
  agentsCut: number;
  /** Texts whose receipt came. */
  acknowledged: Set<string>;
  /** Most and least visitors that one server had at the end, by its name. */
  balance: Record<string, number>;
}

/** A load that goes on. */
export interface Load {
  /** Ends it once the visitors that are there have left. */
  end: () => Promise<LoadSeen>;
}

/** Visitors and agents over wss, as from outside. Each says something every second, and waits for the receipt. */
export const load = (lab: Lab, { visitors, stays: [least, most], agents = 0 }: LoadArgs): Load => {
  const seen: LoadSeen = { opened: 0, failed: [], cut: 0, agentsCut: 0, acknowledged: new Set(), balance: {} };
  const present = new Map<WebSocket, string>();
  let going = true;

  /** Opens a session, and says something each second for as long as it lasts. */
  const session = async (role: "visitor" | "agent"): Promise<WebSocket> => {
    const url = `wss://${lab.hosts.lb1?.address}:3003/?role=${role}&name=${role}`;
    const socket = new WebSocket(url, { rejectUnauthorized: false, handshakeTimeout: 5000 });
    socket.on("error", () => {}); // whoever waits for the socket hears of it
    const [welcome] = await once(socket, "message");
    const said = new Set<string>();
    socket.on("message", (data) => {
      const { text } = JSON.parse(String(data));
      if (said.delete(text)) seen.acknowledged.add(text);
    });
    const say = () => {
      const text = randomUUID();
      said.add(text);
      socket.send(JSON.stringify({ text }));
    };
    const voice = setInterval(role === "visitor" ? say : () => socket.ping(), 1000);
    if (role === "visitor") present.set(socket, JSON.parse(String(welcome)).server);
    socket.once("close", () => {
      clearInterval(voice);
      present.delete(socket);
    });
    return socket;
  };

  const visit = async (): Promise<void> => {
    const socket = await session("visitor");
    seen.opened += 1;
    const time = 1000 * (least + Math.random() * (most - least));
    const cut = await Promise.race([once(socket, "close"), pause(time)]);
    if (cut) seen.cut += 1;
    else {
      socket.close();
      await once(socket, "close");
    }
  };

  const chair = async (): Promise<void> => {
    while (going) await visit().catch((error: Error) => failed(error));
  };

  const agent = async (): Promise<void> => {
    while (going) {
      const socket = await session("agent");
      const left = new AbortController();
      const ended = (async () => {
        while (going) await pause(100, undefined, { signal: left.signal });
      })().catch(() => {});
      const cut = await Promise.race([once(socket, "close"), ended]);
      left.abort();
      if (cut) seen.agentsCut += 1;
      else socket.terminate();
    }
  };

  const failed = async (error: Error): Promise<void> => {
    seen.failed.push(error.message);
    await pause(100);
  };

  const everybody = [
    ...Array.from({ length: visitors }, chair),
    ...Array.from({ length: agents }, () => agent().catch(failed)),
  ];
  return {
    end: async () => {
      for (const server of present.values()) seen.balance[server] = (seen.balance[server] ?? 0) + 1;
      going = false;
      await Promise.all(everybody);
      return seen;
    },
  };
};

/** The texts that were acknowledged to their visitors and are not in the database: there must be none. */
export const lost = async (lab: Lab, { acknowledged }: LoadSeen): Promise<string[]> => {
  const sql = "SELECT text FROM JTELWeb.ChatMessage";
  const said = await lab.hosts["acd-dbm"]?.exec("mariadb --batch --skip-column-names", { input: sql });
  if (!said || said.exitCode) throw new Error(`the ledger cannot be read: ${said?.stderr}`);
  const stored = new Set(said.stdout.split("\n"));
  return [...acknowledged].filter((text) => !stored.has(text));
};
