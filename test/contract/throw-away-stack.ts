import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent, PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";

/** What a run of the engine did. */
export interface Run {
  /** The steps in their order, without those that changed nothing: `["create", "delete"]`. */
  steps: string[];
  /** All that the engine said, errors included. */
  text: string;
  failed: boolean;
}

/** A resource as the state has it. */
export interface Resource {
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
}

/** A stack on a file backend of its own, driven by the real `pulumi`. */
export interface ThrowAwayStack {
  /** Forgets all resources and history. What they have made is left alone. */
  reset(): Promise<void>;
  /** With `signal`, each of its events is a ^C to the engine; with `target`, only what it names is touched. */
  up(program: PulumiFn, options?: { signal?: AbortSignal; target?: string[] }): Promise<Run>;
  preview(program: PulumiFn): Promise<Run>;
  destroy(): Promise<Run>;
  /** The recorded resource of that name, or undefined; secrets in it are encrypted. */
  resource(name: string): Promise<Resource | undefined>;
  /** Every byte that the backend has on disk: state, history, backups. */
  onDisk(): Promise<string>;
  /** The environment of `pulumi` and with it of the plugin. */
  env: Record<string, string>;
}

/** Makes a stack in `directory`. */
export async function throwAwayStack(directory: string): Promise<ThrowAwayStack> {
  const backend = join(directory, "backend");
  const pristine = join(directory, "pristine");
  await mkdir(backend, { recursive: true });
  const stack = await LocalWorkspace.createStack(
    { stackName: "test", projectName: "contract", program: async () => {} },
    {
      workDir: directory,
      envVars: { PULUMI_CONFIG_PASSPHRASE: "throw-away" },
      projectSettings: { name: "contract", runtime: "nodejs", backend: { url: `file://${backend}` } },
    },
  );
  // Asked for after each run, by three more starts of the CLI; nobody needs them here.
  Object.assign(stack, { outputs: async () => ({}), info: async () => undefined });
  await cp(backend, pristine, { recursive: true });
  return {
    env: stack.workspace.envVars,
    async reset() {
      await rm(backend, { recursive: true });
      await cp(pristine, backend, { recursive: true });
    },
    up: (program, options) => observe((onEvent, onOutput) => stack.up({ program, onEvent, onOutput, ...options })),
    preview: (program) => observe((onEvent, onOutput) => stack.preview({ program, onEvent, onOutput })),
    destroy: () => observe((onEvent, onOutput) => stack.destroy({ onEvent, onOutput })),
    async resource(name) {
      const state = JSON.parse(await readFile(join(backend, ".pulumi/stacks/contract/test.json"), "utf8"));
      return state.checkpoint.latest.resources?.find(({ urn }: { urn: string }) => urn.endsWith(`::${name}`));
    },
    onDisk: () => everyFile(backend),
  };
}

/** Types of the plugins under test: the stack itself is a resource, too. */
const ours = /^(command|random|pulumi:index):/;

/** Debug messages are events too; they hold all values, and nobody sees them. */
const shown = /^(info|warning|error)/;

/** Runs the engine and collects what it does; a failed run is a result, not an exception. */
async function observe(
  run: (onEvent: (event: EngineEvent) => void, onOutput: (text: string) => void) => Promise<unknown>,
): Promise<Run> {
  const result: Run = { steps: [], text: "", failed: false };
  const onEvent = (event: EngineEvent) => {
    const step = event.resourcePreEvent?.metadata;
    if (step && ours.test(step.type) && step.op !== "same") result.steps.push(step.op);
    const said = event.diagnosticEvent;
    if (said && shown.test(said.severity)) result.text += said.message;
  };
  try {
    await run(onEvent, () => {});
  } catch (error) {
    result.failed = true;
    result.text += String(error);
  }
  return result;
}

async function everyFile(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
}
