import { availableParallelism } from "node:os";
import { execa } from "execa";
import { pythonTools } from "./python-tools.ts";

/** How many tests passed, failed and were skipped; a check without tests of its own counts as one. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A command that says with its exit code whether the checkout is in order. */
export interface Check {
  title: string;
  command: string;
  argv: string[];
  env?: Record<string, string>;
  /** Reads from its output how many tests ran. */
  count?: (output: string) => Counts;
}

const python = ["host-tool", "test", "lab", "toolchain"];

/** What takes seconds and needs no root: the checkers of both languages. */
const checkers: Check[] = [
  { title: "types", command: "tsc", argv: ["--noEmit", "-p", "."] },
  { title: "dead code", command: "knip", argv: [] },
  { title: "format and lint", command: "biome", argv: ["ci", "."] },
  { title: "kinds", command: "python3", argv: ["toolchain/kinds.py", "check"] },
];

/** The host tool's own; their programs come from PyPI the first time. */
const hostToolCheckers = async (): Promise<Check[]> => {
  const { ruff, environment: env } = await pythonTools();
  const pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test/host-tool"];
  return [
    { title: "host tool: tests", command: "python3", argv: pytest, env, count: pytestCounts },
    { title: "host tool: types", command: "python3", argv: ["-m", "mypy"], env },
    { title: "host tool: lint", command: ruff, argv: ["check", ...python] },
    { title: "host tool: format", command: ruff, argv: ["format", "--check", ...python] },
  ];
};

/** Tests that boot a host, run the engine or ask real plugins. */
const slow = ["contract", "engine", "faults", "host", "lab", "long", "upgrade"];

/** Vitest's share of a short run: without those, without real HAProxys, and with a tenth of the random trials. */
export const shortVitest: Check = {
  title: "tests without hosts",
  command: "vitest",
  argv: ["run", ...slow.map((folder) => `--exclude=test/${folder}/**`)],
  env: { JTEL_CHAT_LAB: "never", JTEL_CHAT_TRIALS: "30" },
};

/** Runs every cheap check, and `more` beside them. */
export const runChecks = async (...more: Check[]): Promise<Counts> => {
  const missing: Counts = { passed: 0, failed: 0, skipped: 0 };
  const hostTool = await hostToolCheckers().catch((error: Error) => {
    console.log(
      `FAILED  host tool: its checkers cannot be installed. On Debian: apt-get install python3-pip\n${error.message}`,
    );
    missing.failed = 1;
    return [];
  });
  return sum([missing, await sideBySide([...more, ...hostTool, ...checkers])]);
};

/** As many at a time as there are cores, in their order, each with a line when it ends; what failed is shown behind all of them. */
const sideBySide = async (list: Check[]): Promise<Counts> => {
  const queue = list.values();
  const ended: { failure: string; counts: Counts }[] = [];
  const lane = async (): Promise<void> => {
    for (const check of queue) ended.push(await run(check));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  for (const { failure } of ended) if (failure) console.log(failure);
  return sum(ended.map(({ counts }) => counts));
};

const run = async ({ title, command, argv, env, count }: Check): Promise<{ failure: string; counts: Counts }> => {
  const begin = performance.now();
  const { failed, all } = await execa(command, argv, { reject: false, all: true, ...(env && { env }) });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1).padStart(5);
  console.log(`${failed ? "FAILED" : "passed"} ${seconds} s  ${title}`);
  const counts = count?.(String(all)) ?? { passed: failed ? 0 : 1, failed: 0, skipped: 0 };
  if (!failed) return { failure: "", counts };
  return { failure: `\nFAILED  ${title}\n${all}`, counts: { ...counts, failed: counts.failed || 1 } };
};

/** The last line of pytest: `2 failed, 1231 passed, 4 skipped in 20.92s`. */
const pytestCounts = (output: string): Counts => {
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") + count("error"), skipped: count("skipped") };
};

export const sum = (counts: Counts[]): Counts => {
  const total = (key: keyof Counts): number => counts.reduce((found, each) => found + each[key], 0);
  return { passed: total("passed"), failed: total("failed"), skipped: total("skipped") };
};
