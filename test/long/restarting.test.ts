import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { stackHosts } from "../../lab/stack.ts";
import { startWebServer } from "../../lab/stand-ins/web-server.ts";
import { engineLab, runnable } from "../engine/engine-lab.ts";
import { seedOf } from "../long-runs.ts";
import { keepRows } from "../results-table.ts";
import {
  type Figures,
  type Landscape,
  type Limits,
  type Row,
  restartUnderLoad,
  stackOf,
} from "./restarting/restart.ts";
import { rows } from "./restarting/rows.ts";

const promise: Limits = { failed: 0, cut: 0, elsewhere: 0, early: 0, lost: 0, without: 0, uneven: 20 };

const page = new URL("../../docs/reliability.md", import.meta.url);
const heading = [
  ...["hosts", "what happens", "sessions", "not opened", "cut", "elsewhere", "agents cut", "acknowledged", "lost"],
  ...["servers up", "at the end", "up", "agent", "instead of 0", "commit", "seed", "date"],
];

const { stdout: commit } = execaSync("git", ["rev-parse", "HEAD"]);
const { stdout: changed } = execaSync("git", ["status", "--porcelain", "--", ":/", ":/!docs"]);
const seed = seedOf(commit);

/** E.g. `separate-server, 2 chat servers, 1 load balancer`. */
const nameOf = ({ topology, chatServers, loadBalancers }: Landscape): string => {
  const counted = (count: number, what: string) => `${count} ${what}${count > 1 ? "s" : ""}`;
  return [topology, counted(chatServers.length, "chat server"), counted(loadBalancers.length, "load balancer")].join(
    ", ",
  );
};

const note = async ({ landscape, happens, instead = "" }: Row, figures: Figures): Promise<void> => {
  const { seen, watched, failed, cut, elsewhere, lost, seconds, agent } = figures;
  const cells = [
    ...[nameOf(landscape), happens, seen.opened, failed, cut, elsewhere, seen.agentsCut.length],
    ...[seen.acknowledged.size, lost, `≥ ${Math.min(...watched.map(({ least }) => least))}`],
    ...[landscape.chatServers.map((name) => seen.balance[name] ?? 0).join(", "), `${seconds} s`, agent, instead],
    ...[`${commit.slice(0, 7)}${changed ? ", changed" : ""}`, seed, new Date().toISOString().slice(0, 10)],
  ];
  await keepRows(page, heading, [cells.map(String)], 2);
};

/** Numbers from 0 to below 1 that depend on the seed and the row (mulberry32). */
const chanceOf = (index: number): (() => number) => {
  let state = seed + index;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

describe.skipIf(!runnable)("a restart under load", () => {
  const hosts = ["lb1", "lb2", "chatserver1", "chatserver2", "chatserver3", "acd-dbm"];
  const engine = engineLab("restarting", { hosts });
  const { lab, host, said, applied } = engine;
  let present = "";

  /** Makes the lab this landscape: the share lists its members, and web servers' own run beside chat where it is co-located. */
  const settle = async ({ landscape, drain }: Row): Promise<void> => {
    const name = `${nameOf(landscape)} ${Boolean(drain)}`;
    if (name === present) return;
    present = "";
    const members = stackHosts(lab(), ...landscape.chatServers).map(({ address }) => `<member>${address}</member>`);
    const list = `sed -i 's#<member>.*</member>##; s#<tcp-ip enabled="true">#&${members.join("")}#' /home/jtel/shared/hazelcast.xml`;
    await said("lb1", list);
    if (landscape.topology === "co-located")
      for (const each of landscape.chatServers) await startWebServer(host(each), lab().subnet);
    await applied(stackOf(engine, { landscape, ...(drain && { drain }) }));
    present = name;
  };

  for (const [index, row] of rows.entries())
    test(
      `${nameOf(row.landscape)}: ${row.happens}`,
      async () => {
        await settle(row);
        const figures = await restartUnderLoad(engine, row, chanceOf(index));
        await note(row, figures);
        const limits = { ...promise, ...row.limits };
        const broken = Object.entries(limits).filter(([what, most]) => figures[what as keyof Limits] > most);
        const { seen, ...counted } = figures;
        const mishaps = [...seen.failed, ...seen.cut].slice(0, 5);
        expect(broken, JSON.stringify({ ...counted, mishaps })).toEqual([]);
        for (const { looks } of figures.watched) expect(looks).toBeGreaterThan(10);
      },
      15 * minutes,
    );
});
