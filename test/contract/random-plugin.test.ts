import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { RandomPassword, type RandomPasswordArgs } from "@pulumi/random";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { seconds } from "../../lab/deadline.ts";
import { type ThrowAwayStack, throwAwayStack } from "./throw-away-stack.ts";

/** What the project relies on in the `random` plugin: true of the official one and of the stand-in. */
describe("the random plugin", { timeout: 30 * seconds }, () => {
  let directory: string;
  let stack: ThrowAwayStack;
  /** The password as the program sees it. */
  let seen: string | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "random-plugin-"));
    stack = await throwAwayStack(directory);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  beforeEach(async () => {
    await stack.reset();
    seen = undefined;
  });

  const program = (inputs: RandomPasswordArgs, options?: CustomResourceOptions) => async () => {
    new RandomPassword("p", inputs, options).result.apply((value) => {
      seen = value;
    });
  };
  const up = (inputs: RandomPasswordArgs, options?: CustomResourceOptions) => stack.up(program(inputs, options));
  const password = async (inputs: RandomPasswordArgs): Promise<string> => {
    const run = await up(inputs);
    expect(run.failed, run.text).toBe(false);
    return seen as string;
  };

  test("makes a password of the wanted length, and keeps it as long as nothing changes", async () => {
    const first = await password({ length: 32, special: false });
    expect(first).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(await up({ length: 32, special: false })).toMatchObject({ failed: false, steps: [] });
    expect(seen).toBe(first);
  });

  test("makes none in a preview", async () => {
    expect(await stack.preview(program({ length: 8 }))).toMatchObject({ failed: false, steps: ["create"] });
    expect(seen).toBeUndefined();
  });

  test("keeps it out of the state and of what the engine says", async () => {
    const run = await up({ length: 32, special: false });
    expect(seen).toHaveLength(32);
    expect(run.text).not.toContain(seen);
    expect(await stack.onDisk()).not.toContain(seen);
    expect((await stack.resource("p"))?.outputs).toMatchObject({
      length: 32,
      special: false,
      lower: true,
      minLower: 0,
    });
  });

  test.each([
    ["its length", { length: 33 }],
    ["a keeper", { keepers: { cluster: "two" } }],
    ["what it is made of", { special: true }],
  ])("makes another one when %s changes", async (_, change) => {
    const before = { length: 32, special: false, keepers: { cluster: "one" } };
    const first = await password(before);
    const run = await up({ ...before, ...change });
    expect(run.steps).toContain("replace");
    expect(seen).not.toBe(first);
  });

  test("is made of what is allowed, with at least so many of each", async () => {
    expect(await password({ length: 40, upper: false, lower: false, special: false })).toMatch(/^[0-9]{40}$/);
    const signs = await password({ length: 40, numeric: false, overrideSpecial: "_-", minSpecial: 20, minUpper: 5 });
    expect(signs).toMatch(/^[A-Za-z_-]{40}$/);
    expect(signs.replaceAll(/[^_-]/g, "").length).toBeGreaterThanOrEqual(20);
    expect(signs.replaceAll(/[^A-Z]/g, "").length).toBeGreaterThanOrEqual(5);
  });

  test("refuses a length that is too short for what it must hold", async () => {
    const run = await up({ length: 3, minLower: 2, minUpper: 2 });
    expect(run.failed).toBe(true);
    expect(run.text).toMatch(/length/);
  });
});
