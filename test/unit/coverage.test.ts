import { expect, test } from "vitest";
import { topologies } from "../../topologies/topologies.ts";
import { procedureOf, type TestResult, uncovered, vendorsLines } from "../coverage.ts";

const lines = ["Java is installed", "updatesc.sh is executable"];

const passed: TestResult[] = Object.keys(topologies).flatMap((topology) =>
  lines.map((title) => ({ ancestorTitles: ["a topology", procedureOf(topology)], title, status: "passed" })),
);

test("the vendor's lines are covered when each has passed in each topology", () => {
  expect(uncovered(lines, passed)).toEqual([]);
});

test("a line that failed, was skipped or has no test is uncovered", () => {
  const [first, ...others] = passed as [TestResult, ...TestResult[]];
  const topology = Object.keys(topologies)[0];
  for (const status of ["failed", "pending"])
    expect(uncovered(lines, [{ ...first, status }, ...others])).toEqual([
      `${topology}: Java is installed: no test of it passed`,
    ]);
  expect(uncovered([...lines, "the firewall is on"], passed)).toHaveLength(Object.keys(topologies).length);
});

test("a topology that nobody tests is uncovered", () => {
  expect(uncovered(lines, passed.slice(lines.length))).toHaveLength(lines.length);
});

test("a test that the page does not name is told", () => {
  expect(uncovered(lines.slice(1), passed)[0]).toContain("docs/coverage.md does not name it");
});

test("docs/coverage.md has the vendor's lines", async () => {
  expect(await vendorsLines()).toContain("the unit is in /etc/systemd/system, enabled and running");
});
