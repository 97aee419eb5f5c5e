import { afterAll, beforeAll, expect } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, type UpOptions, upLab } from "../../lab/lab.ts";
import { labStack, type PulumiResult, type Stack } from "../../lab/stack.ts";
import { bootable } from "../bootable.ts";

/** Values of a stack file below `jtel-chat:`. */
export type Config = Record<string, unknown>;

/** What a test wants to be different from the dev stack. */
export type Change = (config: Config) => void;

const unchanged: Change = () => {};

/** Without root there are no booted hosts; under CI that fails instead of skipping. */
export const runnable = await bootable("the engine on booted hosts");

/** A lab and the real engine on it. */
export interface EngineLab {
  lab: () => Lab;
  host: (name: string) => LabHost;
  /** Runs a script on a host and gives what it printed. */
  said: (host: string, script: string) => Promise<string>;
  stack: (change?: Change) => Promise<Stack>;
  /** `pulumi up` with the dev stack, changed. */
  up: (change?: Change, argv?: string[]) => Promise<PulumiResult>;
  /** An `up` that has to succeed. */
  applied: (change?: Change) => Promise<string>;
  /** An `up` that has to find nothing to do. */
  noop: (change?: Change) => Promise<void>;
  /** `pulumi preview --diff`. */
  preview: (change?: Change, environment?: Record<string, string>) => Promise<PulumiResult>;
}

/** A lab of its own for one file of tests: Java is on its chat servers, where {@link UpOptions} do not say otherwise. */
export const engineLab = (title: string, options: UpOptions = {}): EngineLab => {
  const name = `${title}-${process.pid}`;
  let running: Lab | undefined;
  const lab = () => running as Lab;
  const host = (hostName: string) => lab().hosts[hostName] as LabHost;
  const stack = (change = unchanged) => labStack(lab(), change);
  const up = async (change = unchanged, argv: string[] = []) =>
    (await stack(change)).pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", ...argv]);

  beforeAll(async () => {
    running = await upLab(name, { temporary: true, java: true, ...options });
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  return {
    lab,
    host,
    said: async (hostName, script) => (await host(hostName).exec(script)).stdout.trim(),
    stack,
    up,
    applied: async (change) => {
      const { exitCode, output } = await up(change);
      expect(exitCode, output).toBe(0);
      return output;
    },
    noop: async (change) => {
      const { exitCode, output } = await up(change, ["--expect-no-changes"]);
      expect(exitCode, output).toBe(0);
    },
    preview: async (change, environment = {}) => (await stack(change)).pulumi(["preview", "--diff"], { environment }),
  };
};
