/**
 * `npm run test:faults [-- FILE…]`: the fault table, each row `TRIALS` times (20 where that is not set). Writes its outcome into
 * docs/reliability.md, which is committed.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Outcome } from "./faults/trials.ts";
import { seedOf } from "./long-runs.ts";
import { vitest } from "./vitest.ts";

const page = new URL("../docs/reliability.md", import.meta.url);
const [begin, end] = ["<!-- faults: begin -->\n", "<!-- faults: end -->"];
const heading = [
  "| fault | how | trials | losses | commit | seed | date |",
  "| --- | --- | --- | --- | --- | --- | --- |",
];

/** `| fault | how | trials | losses | commit | seed | date |`, an earlier line of the same fault replaced. */
const kept = (text: string, outcomes: Outcome[], where: string): string => {
  const [before = "", rest = ""] = text.split(begin);
  const [table = "", after = ""] = rest.split(end);
  const start = ({ fault, how }: Outcome) => `| ${fault} | ${how} |`;
  const rows = table
    .split("\n")
    .filter((line) => line && !heading.includes(line) && !outcomes.some((outcome) => line.startsWith(start(outcome))));
  const made = outcomes.map((outcome) => `${start(outcome)} ${outcome.trials} | ${outcome.losses.length} | ${where} |`);
  return `${before}${begin}${["", ...heading, ...rows.toSorted(), ...made, ""].join("\n")}\n${end}${after}`;
};

const { stdout: commit } = await execa("git", ["rev-parse", "HEAD"]);
const { stdout: changed } = await execa("git", ["status", "--porcelain"]);
const directory = await mkdtemp(join(tmpdir(), "jtel-chat-faults-"));
const file = join(directory, "outcomes");
process.env.JTEL_CHAT_DEADLINE_FACTOR ??= "3";
process.env.TRIALS ||= "20";
const files = process.argv.slice(2);
const { counts } = await vitest(files.length ? files : ["test/faults/"], { JTEL_CHAT_FAULTS: file });
const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
const where = `${commit.slice(0, 7)}${changed ? ", changed" : ""} | ${seedOf(commit)} | ${new Date().toISOString().slice(0, 10)}`;
await writeFile(
  page,
  kept(
    await readFile(page, "utf8"),
    lines.map((line) => JSON.parse(line)),
    where,
  ),
);
await rm(directory, { recursive: true });
process.exitCode = counts.failed ? 1 : 0;
