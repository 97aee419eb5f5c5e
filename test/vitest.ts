import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Counts } from "./checks.ts";
import type { TestResult } from "./coverage.ts";

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  testResults?: { assertionResults: TestResult[] }[];
}

/**
 * Runs tests with vitest, whose output goes to the terminal.
 *
 * @param files all where there are none
 * @param exclude files that are left out
 */
export const vitest = async (
  files: string[] = [],
  environment: Record<string, string> = {},
  exclude: string[] = [],
): Promise<{ counts: Counts; results: TestResult[] }> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-test-"));
  const file = join(directory, "vitest.json");
  const reporters = ["default", "json", "./test/slowest-reporter.ts", "./test/failures-reporter.ts"];
  const options = [...reporters.map((reporter) => `--reporter=${reporter}`), `--outputFile.json=${file}`];
  const chosen = [...files, ...exclude.map((each) => `--exclude=${each}`)];
  const { exitCode } = await execa("vitest", ["run", ...options, ...chosen], {
    reject: false,
    stdio: "inherit",
    env: environment,
  });
  const report: Report = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  await rm(directory, { recursive: true });
  // A file that cannot be loaded has no tests, and an unhandled error belongs to none.
  const counts = {
    passed: report.numPassedTests ?? 0,
    failed: report.numFailedTests || (exitCode ? 1 : 0),
    skipped: report.numPendingTests ?? 0,
  };
  return { counts, results: (report.testResults ?? []).flatMap(({ assertionResults }) => assertionResults) };
};
