/** `npm test`: every check of the project, cheap ones first; the last line is `N passed, N failed`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { bootable } from "./bootable.ts";
import { type Counts, runChecks, sum } from "./checks.ts";
import { type TestResult, uncovered, vendorsLines } from "./coverage.ts";

const vitest = async (): Promise<Counts> => {
  const results = await mkdtemp(join(tmpdir(), "jtel-chat-test-"));
  const file = join(results, "vitest.json");
  const reporters = ["default", "json", "./test/slowest-reporter.ts", "./test/failures-reporter.ts"];
  const options = [...reporters.map((reporter) => `--reporter=${reporter}`), `--outputFile.json=${file}`];
  const { exitCode } = await execa("vitest", ["run", ...options], { reject: false, stdio: "inherit" });
  const report: Report = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  await rm(results, { recursive: true });
  // A file that cannot be loaded has no tests, and an unhandled error belongs to none.
  const tests = {
    passed: report.numPassedTests ?? 0,
    failed: report.numFailedTests || (exitCode ? 1 : 0),
    skipped: report.numPendingTests ?? 0,
  };
  return sum([tests, await coverage((report.testResults ?? []).flatMap(({ assertionResults }) => assertionResults))]);
};

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  testResults?: { assertionResults: TestResult[] }[];
}

/** Whether each line of the vendor's procedure has passed in each topology. */
const coverage = async (results: TestResult[]): Promise<Counts> => {
  if (!(await bootable("the vendor's procedure, line by line"))) return { passed: 0, failed: 0, skipped: 1 };
  const missing = uncovered(await vendorsLines(), results);
  for (const each of missing) console.log(`FAILED  the vendor's procedure, ${each}`);
  return { passed: missing.length ? 0 : 1, failed: missing.length ? 1 : 0, skipped: 0 };
};

process.env.JTEL_CHAT_DEADLINE_FACTOR ??= "2"; // two files at a time (vitest.config.ts)
console.log(process.env.JTEL_CHAT_TOOLCHAIN ?? "");
const { passed, failed, skipped } = sum([await runChecks(), await vitest()]);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed ? 1 : 0;
