import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { longRuns, sample, seedOf } from "../long-runs.ts";

test("every long run is of a file that is there", () => {
  expect(longRuns(1).filter(({ file }) => !existsSync(new URL(`../../${file}`, import.meta.url)))).toEqual([]);
});

test("a commit always takes the same sample, other commits take others", () => {
  expect(sample(seedOf("1a2b3c4"))).toEqual(sample(seedOf("1a2b3c4")));
  const samples = new Set(Array.from({ length: 50 }, (_, number) => sample(seedOf(String(number))).title));
  expect(samples.size).toBe(longRuns(1).filter(({ short }) => short).length);
  expect(samples.size).toBe(6);
});
