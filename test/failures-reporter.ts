import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestModule } from "vitest/node";

/** Lines of an error that say what it is about; all of them stand further up. */
const linesShown = 6;

/** Lists what failed at the end of the output, causes first: where a log is cut, its end remains. */
export default class FailuresReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const failed = modules.flatMap((module) => [
      { name: module.moduleId, errors: module.errors() },
      ...[...module.children.allSuites()].map((suite) => ({ name: suite.fullName, errors: suite.errors() })),
      ...[...module.children.allTests("failed")].map((test) => ({
        name: test.fullName,
        errors: test.result().errors ?? [],
      })),
    ]);
    for (const { name, errors } of failed)
      for (const { message } of errors) console.log(`FAILED  ${name}\n${indented(message)}`);
  }
}

const indented = (message: string): string =>
  stripVTControlCharacters(message)
    .split("\n")
    .slice(0, linesShown)
    .map((line) => `        ${line.slice(0, 300)}`)
    .join("\n");
