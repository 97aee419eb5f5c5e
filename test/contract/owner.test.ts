import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { seconds } from "../../lab/deadline.ts";
import { type ThrowAwayStack, throwAwayStack } from "./throw-away-stack.ts";

/** What hosts/owner.ts relies on in the engine's `Stash`. */
describe("the id in the state", { timeout: 30 * seconds }, () => {
  let directory: string;
  let stack: ThrowAwayStack;
  /** The owner as the program knows it before anything is written. */
  let seen: string | undefined;
  let isNew: boolean | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "owner-"));
    stack = await throwAwayStack(directory);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  const program = async () => {
    seen = undefined;
    vi.resetModules(); // a program is a process of its own
    const { stackOwner } = await import("../../hosts/owner.ts");
    seen = await stackOwner().text;
    isNew = await stackOwner().isNew;
  };

  const protectedProgram = async () => {
    vi.resetModules();
    const { protectAll } = await import("../../hosts/protect.ts");
    protectAll();
    const { stackOwner } = await import("../../hosts/owner.ts");
    await stackOwner().text;
  };

  test("is left out by --target only with an error that says what to do", async () => {
    const run = await stack.up(program, { target: ["**lb1-tool"] });
    expect(run.failed).toBe(true);
    expect(run.text).toContain("nothing was changed:\nthis stack's state has no id yet");
    expect(seen).toBeUndefined();
  });

  test("is made by the first up, known from then on in previews, too, and stays", async () => {
    expect((await stack.preview(program)).failed).toBe(false);
    expect([seen, isNew]).toEqual(["contract/test (made by the first up)", true]);
    expect((await stack.up(program)).failed).toBe(false);
    expect(isNew).toBe(true);
    const made = seen;
    expect(made).toMatch(/^contract\/test [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    for (const run of [await stack.preview(program), await stack.up(program, { target: ["**lb1-tool"] })]) {
      expect(run).toMatchObject({ failed: false, steps: [] });
      expect([seen, isNew]).toEqual([made, false]);
    }
  });

  test("is not taken back by a destroy where the stack is protected, until it is not any more", async () => {
    expect(await stack.up(protectedProgram)).toMatchObject({ failed: false, steps: [] });
    const refused = await stack.destroy();
    expect(refused.failed).toBe(true);
    expect(refused.text).toContain("protect");
    expect(await stack.resource("owner")).toBeDefined();
    expect((await stack.up(program)).failed).toBe(false);
    expect((await stack.destroy()).failed).toBe(false);
  });
});
