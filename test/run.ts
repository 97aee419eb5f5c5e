/** `npm test`: every check of the project, cheap ones first; the last line is `N passed, N failed`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { pythonTools } from "./python-tools.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const results = await mkdtemp(join(tmpdir(), "jtel-chat-test-"));

/** A command that counts as one test. */
const check = async (
  title: string,
  command: string,
  argv: string[],
  env: Record<string, string> = {},
): Promise<Counts> => {
  const { failed, all } = await execa(command, argv, { reject: false, all: true, env });
  console.log(`${failed ? "FAILED" : "passed"}  ${title}`);
  if (failed) console.log(all);
  return { passed: failed ? 0 : 1, failed: failed ? 1 : 0, skipped: 0 };
};

const checks = async (): Promise<Counts[]> => [
  await check("format and lint", "biome", ["ci", "."]),
  await check("types", "tsc", ["--noEmit", "-p", "."]),
  await check("dead code", "knip", []),
  ...(await hostToolChecks().catch((error: Error) => {
    console.log(
      `FAILED  host tool: its checkers cannot be installed. On Debian: apt-get install python3-pip\n${error.message}`,
    );
    return [{ passed: 0, failed: 1, skipped: 0 }];
  })),
];

const hostToolChecks = async (): Promise<Counts[]> => {
  const { ruff, environment } = await pythonTools();
  const python = ["host-tool", "test", "lab"];
  return [
    await check("host tool: lint", ruff, ["check", ...python]),
    await check("host tool: format", ruff, ["format", "--check", ...python]),
    await check("host tool: types", "python3", ["-m", "mypy"], environment),
    await pytest(environment),
  ];
};

const pytest = async (env: Record<string, string>): Promise<Counts> => {
  const { exitCode, all } = await execa("python3", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test/host-tool"], {
    reject: false,
    all: true,
    env,
  });
  console.log(all);
  const count = (word: string) =>
    Number(new RegExp(`(\\d+) ${word}`).exec(String(all).split("\n").at(-1) ?? "")?.[1] ?? 0);
  const failed = count("failed") + count("error");
  return { passed: count("passed"), failed: failed || (exitCode ? 1 : 0), skipped: count("skipped") };
};

const vitest = async (): Promise<Counts> => {
  const file = join(results, "vitest.json");
  const reporters = ["default", "json", "./test/failures-reporter.ts"].map((reporter) => `--reporter=${reporter}`);
  const { exitCode } = await execa("vitest", ["run", ...reporters, `--outputFile.json=${file}`], {
    reject: false,
    stdio: "inherit",
  });
  const report = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  const failed = report.numFailedTests ?? 0;
  // A file that cannot be loaded has no tests, and an unhandled error belongs to none.
  return {
    passed: report.numPassedTests ?? 0,
    failed: failed || (exitCode ? 1 : 0),
    skipped: report.numPendingTests ?? 0,
  };
};

const total = (counts: Counts[], key: keyof Counts): number => counts.reduce((sum, each) => sum + each[key], 0);

console.log(process.env.JTEL_CHAT_TOOLCHAIN ?? "");
const counts = [...(await checks()), await vitest()];
await rm(results, { recursive: true });
const [passed, failed, skipped] = [total(counts, "passed"), total(counts, "failed"), total(counts, "skipped")];
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed ? 1 : 0;
