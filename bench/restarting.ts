/**
 * What visitors see of a restart of both chat servers, at once and drained: run on a lab of its own, writes the figures
 * into docs/reliability.md; `npm run format` aligns them.
 *
 *     toolchain/exec node bench/restarting.ts
 */
import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { type LoadArgs, type LoadSeen, load, lost } from "../lab/clients/load.ts";
import { downLab, type Lab, upLab } from "../lab/lab.ts";
import { labStack } from "../lab/stack.ts";

/** 50 new connections a second, and 200 at a time; agents who never leave. */
const crowd: LoadArgs = { visitors: 200, stays: [2, 6], agents: 4 };
const drain = { deadline: "20s", idle: "5s", atDeadline: "cut" };
const page = new URL("../docs/reliability.md", import.meta.url);

interface Measured {
  title: string;
  seen: LoadSeen;
  lost: number;
  seconds: number;
}

let limits: string[] = [];

/** An `up` that has to succeed. */
const up = async (lab: Lab, settings: object): Promise<void> => {
  const stack = await labStack(lab, (config) => {
    config.clientMessenger = { ...settings, unit: { limits } };
  });
  const { exitCode, output } = await stack.pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
  if (exitCode) throw new Error(output);
};

/** One `up` that restarts both servers, under load; `beside` happens in its middle. */
const measured = async (
  lab: Lab,
  title: string,
  settings: object,
  beside?: () => Promise<unknown>,
): Promise<Measured> => {
  limits = limits.length ? [] : ["tmp"];
  const going = load(lab, crowd);
  await pause(8000); // every chair is taken by then, and visitors come one by one
  const begun = Date.now();
  const middle = beside && pause(10_000).then(beside);
  await up(lab, settings);
  const seconds = (Date.now() - begun) / 1000;
  await middle;
  await pause(15_000); // every session was renewed
  const seen = await going.end();
  console.log(title, { ...seen, acknowledged: seen.acknowledged.size });
  return { title, seen, lost: (await lost(lab, seen)).length, seconds };
};

/** CPU and memory of the agent on one server, as the kernel has counted them. */
const agentCosts = async (lab: Lab): Promise<string> => {
  const script = `pid=$(systemctl show --value --property=MainPID jtel-chat-drain); \
    awk -v now="$(cut -d' ' -f1 /proc/uptime)" '{ printf "%.2f %% of a core", ($14 + $15) / (now * 100 - $22) * 100 }' /proc/$pid/stat; \
    awk '/^VmRSS/ { printf ", %.0f MB", $2 / 1024 }' /proc/$pid/status`;
  return (await lab.hosts.chatserver1?.exec(script))?.stdout ?? "";
};

const row = (name: string, values: (string | number)[]): string => `| ${[name, ...values].join(" | ")} |`;

const table = (all: Measured[]): string => {
  const rows: [string, (each: Measured) => string | number][] = [
    ["sessions of visitors", ({ seen }) => seen.opened],
    ["new connections that failed", ({ seen }) => seen.failed.length],
    ["visitors who were cut", ({ seen }) => seen.cut],
    ["cuts of 4 agents who never leave", ({ seen }) => seen.agentsCut],
    ["messages acknowledged, and lost of them", (each) => `${each.seen.acknowledged.size}, ${each.lost}`],
    ["seconds of the `up`", ({ seconds }) => Math.round(seconds)],
    ["visitors on each server at the end", ({ seen }) => Object.values(seen.balance).join(" and ")],
  ];
  return [
    row(
      "",
      all.map(({ title }) => title),
    ),
    row(
      "---",
      all.map(() => "---"),
    ),
    ...rows.map(([name, value]) => row(name, all.map(value))),
  ].join("\n");
};

const name = `restarting-${process.pid}`;
try {
  const lab = await upLab(name, { temporary: true, java: true, progress: console.log });
  await up(lab, {});
  const at = [await measured(lab, "restarted at once", {})];
  await up(lab, { drain });
  at.push(await measured(lab, "drained", { drain }));
  const reload = () => lab.hosts.lb1?.exec("systemctl reload haproxy") ?? Promise.resolve();
  at.push(await measured(lab, "drained, HAProxy reloaded in the middle", { drain }, reload));
  const text = await readFile(page, "utf8");
  const where = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores with a load of ${loadavg()[1]?.toFixed(1)}, each once. The agent used ${await agentCosts(lab)}.`;
  const section = `<!-- bench/restarting.ts writes this -->\n\n${where}\n\n${table(at)}\n\n<!-- until here -->`;
  await writeFile(
    page,
    text.replace(/<!-- bench\/restarting\.ts[\s\S]*<!-- until here -->/, () => section),
  );
} finally {
  await downLab(name);
}
