/**
 * `npm run test:faults [-- FILE…]`: the fault table, each row `TRIALS` times (20 where that is not set). Writes its outcome into
 * docs/reliability.md, which is committed.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Outcome } from "./faults/trials.ts";
import { seedOf } from "./long-runs.ts";
import { keepRows } from "./results-table.ts";
import { vitest } from "./vitest.ts";

const page = new URL("../docs/reliability.md", import.meta.url);
const heading = ["on", "fault", "how", "trials", "losses", "commit", "seed", "date"];

const { stdout: commit } = await execa("git", ["rev-parse", "HEAD"]);
const { stdout: changed } = await execa("git", ["status", "--porcelain", "--", ":/", ":/!docs/reliability.md"]);
const directory = await mkdtemp(join(tmpdir(), "jtel-chat-faults-"));
const file = join(directory, "outcomes");
process.env.JTEL_CHAT_DEADLINE_FACTOR ??= "3";
process.env.TRIALS ||= "20";
const files = process.argv.slice(2);
const { counts } = await vitest(files.length ? files : ["test/faults/"], { JTEL_CHAT_FAULTS: file });
const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
const where = [
  `${commit.slice(0, 7)}${changed ? ", changed" : ""}`,
  seedOf(commit),
  new Date().toISOString().slice(0, 10),
];
const rows = lines.map((line) => {
  const { on, fault, how, trials, losses }: Outcome = JSON.parse(line);
  return [on, fault, how, trials, losses.length, ...where].map(String);
});
await keepRows(page, heading, rows, 3);
await rm(directory, { recursive: true });
process.exitCode = counts.failed ? 1 : 0;
