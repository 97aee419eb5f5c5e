import { setTimeout as pause } from "node:timers/promises";
import { serverStates } from "../../../lab/clients/haproxy.ts";
import { type LoadSeen, load, lost } from "../../../lab/clients/load.ts";
import { until } from "../../../lab/deadline.ts";
import { type PulumiOptions, type PulumiResult, stackHosts } from "../../../lab/stack.ts";
import type { Change, EngineLab } from "../../engine/engine-lab.ts";
import { type Watched, watch } from "./watch.ts";

/** Which hosts do what; chat servers in the order in which they are restarted. */
export interface Landscape {
  topology: "separate-server" | "lb-hosted" | "co-located";
  loadBalancers: string[];
  chatServers: string[];
}

/** What a row promises at most. */
export interface Limits {
  /** New connections that failed. */
  failed: number;
  /** Visitors who were cut. */
  cut: number;
  /** Visitors and agents who were cut on servers that were not restarted. */
  elsewhere: number;
  /** Agents who were cut before the deadline of the first drain. */
  early: number;
  /** Messages that were acknowledged and are not in the database. */
  lost: number;
  /** Seconds in which a load balancer had no server for new chats. */
  without: number;
  /** Percent by which a server's visitors at the end differ from its share. */
  uneven: number;
}

/** A restart under load, and what happens beside it. */
export interface Row {
  landscape: Landscape;
  /** E.g. `HAProxy is reloaded in the middle`. */
  happens: string;
  /** `clientMessenger.drain`; none restarts at once. */
  drain?: { deadline: string; idle: string; atDeadline: "stop" | "cut" };
  /** Visitors at one moment. */
  visitors: number;
  /** Who never leaves. */
  agents: number;
  /** Load balancers that visitors come through. @default all */
  through?: string[];
  /** What happens before anybody comes. */
  first?: (scene: Scene) => Promise<unknown>;
  /** What it does, and checks, while the load goes on. @default an `up` that has to succeed */
  act?: (scene: Scene) => Promise<void>;
  /** What it promises where that is not the usual, and the words for it. */
  limits?: Partial<Limits>;
  instead?: string;
}

/** What an act can do. */
export interface Scene extends EngineLab {
  landscape: Landscape;
  /** An `up` that restarts all servers; the same change each time in a row. */
  restart: (options?: PulumiOptions, argv?: string[]) => Promise<PulumiResult>;
  /** The same that has to succeed. */
  restarted: () => Promise<void>;
  /** Resolves when HAProxy calls the server drained. */
  drains: (server: string) => Promise<void>;
  /** Resolves when every load balancer that runs calls all servers up. */
  allUp: () => Promise<void>;
  /** Another setting of ClientMessenger in this row. */
  settings: Record<string, unknown>;
}

/** What was seen of a row. */
export interface Figures extends Limits {
  seen: LoadSeen;
  watched: Watched[];
  /** Seconds of the act. */
  seconds: number;
  /** CPU and memory of the first server's agent, `0.12 %, 14 MB`. */
  agent: string;
}

/** Seconds that a visitor stays. */
const stays: [number, number] = [2, 6];
/** What the unit may not reach: another one than before is a change that restarts. */
const limits = [[], ["tmp"], ["network"], ["tmp", "network"]];
let turn = 0;

/** The dev stack with other hosts, without WhatsApp. */
export const stackOf =
  (engine: EngineLab, { landscape, drain }: Pick<Row, "landscape" | "drain">, more: object = {}): Change =>
  (config) => {
    config.topology = landscape.topology;
    config.loadBalancers = stackHosts(engine.lab(), ...landscape.loadBalancers);
    config.chatServers = stackHosts(engine.lab(), ...landscape.chatServers);
    if (landscape.topology === "lb-hosted") delete config.chatServers;
    config.resources = { accept: ["cores"] };
    config.clientMessenger = { unit: { limits: limits[turn % limits.length] }, ...(drain && { drain }), ...more };
    delete config.whatsapp;
    delete config.tyntec;
  };

const sceneOf = (engine: EngineLab, row: Row): Scene => {
  const { landscape } = row;
  const settings: Scene["settings"] = {};
  const states = (name: string) => serverStates(engine.host(name));
  const restart: Scene["restart"] = async (options, argv = ["up", "--yes", "--skip-preview", "--suppress-outputs"]) =>
    (await engine.stack(stackOf(engine, row, settings))).pulumi(argv, options);
  return {
    ...engine,
    landscape,
    settings,
    restart,
    restarted: async () => {
      const { exitCode, output } = await restart();
      if (exitCode) throw new Error(output);
    },
    drains: async (server) => {
      const [first = ""] = row.through ?? landscape.loadBalancers;
      await until(`${server} is drained`, 60, async () => (await states(first))[server] === "DRAIN" || undefined);
    },
    allUp: async () => {
      for (const name of row.through ?? landscape.loadBalancers)
        await until(`${name} calls all servers up`, 60, async () => {
          const found = await states(name);
          if (!landscape.chatServers.every((each) => found[each] === "UP")) throw new Error(JSON.stringify(found));
          return true;
        });
    },
  };
};

/** Which start of ClientMessenger runs on each chat server, and of the host. */
const starts = async ({ said, landscape }: Scene): Promise<Record<string, string>> => {
  const script = "cat /proc/sys/kernel/random/boot_id; systemctl show --value -p InvocationID jtel-clientmessenger";
  const found = landscape.chatServers.map(async (name) => [name, await said(name, script)] as const);
  return Object.fromEntries(await Promise.all(found));
};

/** The drain's agent as the kernel sees it: CPU and times in seconds since the boot, memory in MB. */
interface Agent {
  pid: number;
  started: number;
  now: number;
  cpu: number;
  memory: number;
}

/** The agent of the first server; undefined where there is none. */
const agentOf = async ({ said, landscape }: Scene): Promise<Agent | undefined> => {
  const script = `pid=$(systemctl show --value --property=MainPID jtel-chat-drain); [ "\${pid:-0}" != 0 ] || exit 0
    awk -v now="$(cut -d' ' -f1 /proc/uptime)" '{ print $1, $22 / 100, now, ($14 + $15) / 100 }' /proc/$pid/stat
    awk '/^VmRSS/ { print $2 / 1024 }' /proc/$pid/status`;
  const found = await said(landscape.chatServers[0] ?? "", script);
  if (!found) return undefined;
  const [pid = 0, started = 0, now = 0, cpu = 0, memory = 0] = found.split(/\s+/).map(Number);
  return { pid, started, now, cpu, memory };
};

/** What the agent has taken since it was seen first, or since its start where it has started meanwhile: `0.12 %, 14 MB`. */
const taken = (first: Agent | undefined, last: Agent | undefined): string => {
  if (!last) return "";
  const { now, cpu } = first?.pid === last.pid ? first : { now: last.started, cpu: 0 };
  return `${((100 * (last.cpu - cpu)) / (last.now - now)).toFixed(2)} %, ${last.memory.toFixed(0)} MB`;
};

/** How far servers are from their share, in percent. */
const uneven = (balance: Record<string, number>, servers: string[]): number => {
  const counts = servers.map((name) => balance[name] ?? 0);
  const share = counts.reduce((sum, count) => sum + count, 0) / servers.length;
  return Math.round(Math.max(...counts.map((count) => Math.abs(count / share - 1))) * 100);
};

/** Makes a row happen once. */
export const restartUnderLoad = async (engine: EngineLab, row: Row, chance: () => number): Promise<Figures> => {
  turn += 1;
  const scene = sceneOf(engine, row);
  const { loadBalancers, chatServers } = row.landscape;
  const through = row.through ?? loadBalancers;
  await scene.allUp();
  await row.first?.(scene);
  const before = await starts(scene);
  const agent = await agentOf(scene);
  const watches = through.map((name) => watch(engine.host(name), chatServers.map(engine.host)));
  const { visitors, agents } = row;
  const going = load(engine.lab(), { visitors, stays, agents, through, chance });
  await pause(8000); // every chair is taken by then, and visitors come one by one
  const begun = Date.now();
  const acted = await (row.act ?? (({ restarted }) => restarted()))(scene).catch((error: Error) => error);
  const seconds = Math.round((Date.now() - begun) / 1000);
  const left = await scene.allUp().catch((error: Error) => error);
  await pause(1000 * (stays[1] + 4)); // every session was renewed
  const seen = await going.end();
  const watched = await Promise.all(watches.map((end) => end()));
  for (const error of [acted, left]) if (error instanceof Error) throw error;
  const after = await starts(scene);
  const untouched = chatServers.filter((name) => after[name] === before[name]);
  const deadline = begun + 1000 * Number.parseInt(row.drain?.deadline ?? "0", 10);
  return {
    ...{ seen, watched, seconds, agent: taken(agent, await agentOf(scene)) },
    failed: seen.failed.length,
    cut: seen.cut.length,
    elsewhere: [...seen.cut, ...seen.agentsCut].filter(({ server }) => untouched.includes(server)).length,
    early: seen.agentsCut.filter(({ at }) => at < deadline).length,
    lost: (await lost(engine.lab(), seen)).length,
    without: Math.max(...watched.map((each) => each.without)),
    uneven: uneven(seen.balance, chatServers),
  };
};
