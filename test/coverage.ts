import { readFile } from "node:fs/promises";
import { topologies } from "../topologies/topologies.ts";

/** A test as vitest's JSON report has it. */
export interface TestResult {
  ancestorTitles: string[];
  title: string;
  status: string;
}

/** What the tests of a topology stand under. */
export const procedureOf = (topology: string): string => `the vendor's procedure holds, ${topology}`;

/** Lines of the vendor's procedure, as docs/coverage.md lists them. */
export const vendorsLines = async (): Promise<string[]> => {
  const page = await readFile(new URL("../docs/coverage.md", import.meta.url), "utf8");
  return [...page.matchAll(/^- (.+)$/gm)].map(([, line]) => line as string);
};

/** `topology: line` for each line that did not pass in each topology, and for each that the page does not name. */
export const uncovered = (lines: string[], results: TestResult[]): string[] =>
  Object.keys(topologies).flatMap((topology) => {
    const tests = results.filter(({ ancestorTitles }) => ancestorTitles.includes(procedureOf(topology)));
    const passed = new Set(tests.filter(({ status }) => status === "passed").map(({ title }) => title));
    const unnamed = tests.map(({ title }) => title).filter((title) => !lines.includes(title));
    return [
      ...lines.filter((line) => !passed.has(line)).map((line) => `${topology}: ${line}: no test of it passed`),
      ...unnamed.map((title) => `${topology}: ${title}: docs/coverage.md does not name it`),
    ];
  });
