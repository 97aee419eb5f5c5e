import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation/index.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { expect } from "vitest";
import type { LoopbackTyntec } from "../../tyntec-stand-in.ts";

export type Command = "preview" | "up" | "destroy";

/** The engine with a stack of {@link file://./index.ts}: TynTec's webhooks, and a command that stands for a host. */
export interface TyntecEngine {
  stack: Stack;
  /** Runs it with these values in the stack file, and shows each difference. Whatever a person sees holds no secret. */
  run(command: Command, values: object): Promise<Run & { requests: string[] }>;
  /** All that the engine has written. */
  backend(): Promise<string>;
}

export const startEngine = async (tyntec: LoopbackTyntec): Promise<TyntecEngine> => {
  const directory = join(tyntec.directory, "stack");
  const stack = await emptyStack(directory);
  await stack.setConfig("jtel-chat:apiKey", { value: tyntec.apiKey, secret: true });
  /** The value of the stack file as it was set last: setting it takes as long as half a run. */
  let configured: string;
  const run: TyntecEngine["run"] = async (command, values) => {
    const value = JSON.stringify({ caFile: tyntec.caFile, ...values });
    if (value !== configured) await stack.setConfig("jtel-chat:tyntec", { value });
    configured = value;
    const { length } = await tyntec.requests();
    const result = await observed((onEvent, onOutput) =>
      stack[command]({ onEvent, onOutput, onError: onOutput, diff: true }),
    );
    expect(result.text).not.toMatch(new RegExp(`${tyntec.apiKey}|s3cret`));
    const requests = (await tyntec.requests()).slice(length).map(({ method }) => method);
    return { ...result, requests };
  };
  return { stack, run, backend: () => everyFile(join(directory, "backend")) };
};

const checkout = new URL("../../../", import.meta.url).pathname;

/** Makes a stack of `test/engine/tyntec` in a folder of its own, with the checkout's programs that it runs. */
const emptyStack = async (directory: string): Promise<Stack> => {
  await mkdir(join(directory, "backend"), { recursive: true });
  await symlink(join(checkout, "test/engine/tyntec/index.ts"), join(directory, "index.ts"));
  for (const name of ["tyntec", "node_modules", "package.json"]) await symlink(checkout + name, join(directory, name));
  const project = {
    name: "jtel-chat",
    main: "index.ts",
    runtime: { name: "nodejs", options: { typescript: false } },
    backend: { url: `file://${directory}/backend` },
  };
  await writeFile(join(directory, "Pulumi.yaml"), JSON.stringify(project));
  const stack = await LocalWorkspace.createStack(
    { stackName: "test", workDir: directory },
    { envVars: { PULUMI_CONFIG_PASSPHRASE: "throw-away" } },
  );
  // Asked for after each run, by three more starts of the CLI; nobody needs them here.
  return Object.assign(stack, { outputs: async () => ({}), info: async () => undefined });
};

interface Run {
  /**
   * Steps on commands, sorted, without those that changed nothing: `create host`. The engine begins those that do not depend on
   * each other in any order.
   */
  steps: string[];
  /** All that a person saw. */
  text: string;
  failed: boolean;
}

/** Runs the engine and collects what it does; a failed run is a result, not an exception. */
const observed = async (
  run: (onEvent: (event: EngineEvent) => void, onOutput: (text: string) => void) => Promise<unknown>,
): Promise<Run> => {
  const steps: string[] = [];
  let text = "";
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const step = resourcePreEvent?.metadata;
    if (step?.type.startsWith("command:") && step.op !== "same")
      steps.push(`${step.op} ${step.urn.split("::").at(-1)}`);
  };
  const onOutput = (part: string) => {
    text += part;
  };
  const error = await run(onEvent, onOutput).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { steps: steps.sort(), text: text + (error?.message ?? ""), failed: error !== undefined };
};

const everyFile = async (directory: string): Promise<string> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
};
