/** `npm test`: every check of the project, cheap ones first; the last line is `N passed, N failed`. */
import { execa } from "execa";
import { bootable } from "./bootable.ts";
import { type Counts, runChecks, sum } from "./checks.ts";
import { type TestResult, uncovered, vendorsLines } from "./coverage.ts";
import { inTurns, sample, seedOf } from "./long-runs.ts";
import { vitest } from "./vitest.ts";

/** Whether each line of the vendor's procedure has passed in each topology. */
const coverage = async (results: TestResult[]): Promise<Counts> => {
  if (!(await bootable("the vendor's procedure, line by line"))) return { passed: 0, failed: 0, skipped: 1 };
  const missing = uncovered(await vendorsLines(), results);
  for (const each of missing) console.log(`FAILED  the vendor's procedure, ${each}`);
  return { passed: missing.length ? 0 : 1, failed: missing.length ? 1 : 0, skipped: 0 };
};

/** One of the short ones among the long runs (`npm run test:all`). */
const sampled = async (): Promise<Counts> => {
  const { title, file, environment } = sample(seed);
  console.log(`\nA sample of the long runs, seed ${seed}: ${title}`);
  return (await vitest([file], environment)).counts;
};

process.env.JTEL_CHAT_DEADLINE_FACTOR ??= "3"; // four files at a time (vitest.config.ts)
console.log(process.env.JTEL_CHAT_TOOLCHAIN ?? "");
const { stdout: commit } = await execa("git", ["rev-parse", "HEAD"], { reject: false });
const seed = seedOf(commit ?? "");
const taken = inTurns[seed % inTurns.length];
const others = inTurns.filter((file) => file !== taken);
const checks = await runChecks();
console.log(`\nIt is the turn of ${taken}, seed ${seed}; not of ${others.join(", ")}`);
const tooLong = ["test/long/**", "test/faults/stack.test.ts"]; // a trial of a whole stack takes a minute
const { counts, results } = await vitest([], {}, [...tooLong, ...others]);
const { passed, failed, skipped } = sum([checks, counts, await coverage(results), await sampled()]);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed ? 1 : 0;
