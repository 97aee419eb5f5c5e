import type { Reporter, TestModule } from "vitest/node";

const shown = 10;

/** The tests that took longest, behind the results: where a run's minutes went. */
export default class SlowestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        const { duration } = test.diagnostic() ?? {}; // a skipped test has none
        return duration ? [{ name, seconds: duration / 1000 }] : [];
      }),
    );
    const slowest = tests.toSorted((a, b) => b.seconds - a.seconds).slice(0, shown);
    console.log(`The ${slowest.length} slowest tests:`);
    for (const { name, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
  }
}
