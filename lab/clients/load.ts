import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Lab } from "../lab.ts";

/** How much goes through the load balancers. */
export interface LoadArgs {
  /** Visitors at one moment. */
  visitors: number;
  /** Seconds that a visitor stays, each a random time between the two. */
  stays: [number, number];
  /** Who stays for the whole time, and comes back when he is cut. @default 0 */
  agents?: number;
  /** Load balancers that they come through in turns. @default only lb1 */
  through?: string[];
  /** A number from 0 to below 1. @default Math.random */
  chance?: () => number;
}

/** Something that should not have happened, and when: milliseconds since 1970. */
interface Mishap {
  at: number;
  why: string;
}

interface Cut extends Mishap {
  server: string;
}

/** What was seen of it. */
export interface LoadSeen {
  /** Sessions of visitors that came about. */
  opened: number;
  /** Others, which did not. */
  failed: Mishap[];
  /** Sessions of visitors that were cut before they left, and of agents, each as often as it happened. */
  cut: Cut[];
  agentsCut: Cut[];
  /** Texts whose receipt came. */
  acknowledged: Set<string>;
  /** How many visitors each server had at the end, by its name. */
  balance: Record<string, number>;
}

/** A load that goes on. */
export interface Load {
  /** Ends it once the visitors that are there have left. */
  end: () => Promise<LoadSeen>;
}

/** A session that has come about. */
export interface Session {
  socket: WebSocket;
  /** The chat server that it is on. */
  server: string;
  /** Resolves when it has ended, to the code and words that came with that: `1001 server stops`. */
  closed: Promise<string>;
}

/** Open a session over wss, as from outside. Its browser says each second that it is there. */
export const openSession = async (lab: Lab, role: "visitor" | "agent", through = "lb1"): Promise<Session> => {
  const url = `wss://${lab.hosts[through]?.address}:3003/?role=${role}&name=${role}`;
  const socket = new WebSocket(url, { rejectUnauthorized: false, handshakeTimeout: 5000 });
  socket.on("error", () => {}); // who waits for the socket hears of it
  const closed = new Promise<string>((resolve) => socket.once("close", (code, reason) => resolve(`${code} ${reason}`)));
  const early = closed.then(() => Promise.reject(new Error("closed before the welcome")));
  early.catch(() => {}); // later that is no error
  const [welcome] = await Promise.race([once(socket, "message"), early]);
  const beat = setInterval(() => socket.ping(), 1000);
  socket.once("close", () => clearInterval(beat));
  return { socket, server: JSON.parse(String(welcome)).server, closed };
};

/** Visitors and agents. A visitor says something every two seconds, and waits for the receipt. */
export const load = (lab: Lab, args: LoadArgs): Load => {
  const { visitors, stays, agents = 0, through = ["lb1"], chance = Math.random } = args;
  const [least, most] = stays;
  const seen: LoadSeen = { opened: 0, failed: [], cut: [], agentsCut: [], acknowledged: new Set(), balance: {} };
  const present = new Map<WebSocket, string>();
  const leaving = new AbortController();
  let turn = 0;

  const session = (role: "visitor" | "agent"): Promise<Session> =>
    openSession(lab, role, through[turn++ % through.length]);

  /** Says something every two seconds for as long as the session lasts. */
  const talk = (socket: WebSocket): void => {
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
    const voice = setInterval(say, 2000);
    socket.once("close", () => clearInterval(voice));
  };

  /** Notes it, and is a browser that comes back in a second. */
  const cutOff = (cuts: Cut[], server: string, why: string): Promise<void> => {
    cuts.push({ at: Date.now(), why, server });
    return pause(1000);
  };

  const visit = async (): Promise<void> => {
    const { socket, server, closed } = await session("visitor");
    seen.opened += 1;
    talk(socket);
    present.set(socket, server);
    const cut = await Promise.race([closed, pause(1000 * (least + chance() * (most - least)))]);
    present.delete(socket);
    if (cut) await cutOff(seen.cut, server, cut);
    else socket.close();
    await closed;
  };

  const attend = async (): Promise<void> => {
    const { socket, server, closed } = await session("agent");
    const left = pause(2 ** 31 - 1, undefined, { signal: leaving.signal }).catch(() => undefined);
    const cut = await Promise.race([closed, left]);
    if (cut) await cutOff(seen.agentsCut, server, cut);
    else socket.terminate();
  };

  /** Comes again and again. */
  const chair = async (come: () => Promise<void>): Promise<void> => {
    while (!leaving.signal.aborted)
      await come().catch(async ({ message }: Error) => {
        seen.failed.push({ at: Date.now(), why: message });
        await pause(1000);
      });
  };

  const everybody = [...Array(visitors).fill(visit), ...Array(agents).fill(attend)].map(chair);
  return {
    end: async () => {
      for (const server of present.values()) seen.balance[server] = (seen.balance[server] ?? 0) + 1;
      leaving.abort();
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
