/**
 * `npm run test:all [-- PART…]`: the long runs, or those whose title has one of the parts, e.g. `trixie`. Takes hours. Writes
 * docs/long-runs.md, which is committed.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { type LongRun, longRuns, seedOf } from "./long-runs.ts";
import { vitest } from "./vitest.ts";

const page = new URL("../docs/long-runs.md", import.meta.url);

const { stdout: commit } = await execa("git", ["rev-parse", "--short", "HEAD"]);
const { stdout: changed } = await execa("git", ["status", "--porcelain", "--", ":/", ":/!docs/long-runs.md"]);
const seed = seedOf(commit);
const parts = process.argv.slice(2);
const chosen = longRuns(seed).filter(({ title }) => !parts.length || parts.some((part) => title.includes(part)));

/** `| run | passed | failed | skipped | minutes | commit | seed | date |`, its earlier line replaced. */
const keep = async ({ title }: LongRun, cells: (string | number)[]): Promise<void> => {
  const run = title.replace(/, seed \d+/, "");
  const rows = (await readFile(page, "utf8")).trimEnd().split("\n");
  const others = rows.filter((line) => line.split("|")[1]?.trim() !== run);
  await writeFile(page, `${[...others, `| ${[run, ...cells].join(" | ")} |`].join("\n")}\n`);
  await execa("biome", ["format", "--write", fileURLToPath(page)]);
};

process.env.JTEL_CHAT_DEADLINE_FACTOR ??= "3";
for (const run of chosen) {
  console.log(`\n== ${run.title}`);
  const begin = Date.now();
  const { passed, failed, skipped } = (await vitest([run.file], run.environment)).counts;
  const minutes = ((Date.now() - begin) / 60_000).toFixed(1);
  const date = new Date().toISOString().slice(0, 10);
  await keep(run, [passed, failed, skipped, minutes, `${commit}${changed ? ", changed" : ""}`, seed, date]);
  if (failed) process.exitCode = 1;
}
