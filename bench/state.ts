import { readFile } from "node:fs/promises";
import type { Stack } from "../lab/stack.ts";

/** One resource of a state; those that others depend on come first. */
export interface StateResource {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  parent?: string;
  dependencies?: string[];
}

/** What `pulumi stack export` writes, as far as it is needed here. */
export interface ExportedState {
  deployment: { resources: StateResource[] };
}

/** Writes the stack's state to `file`, with its secrets readable: the directory has to be private. */
export const exportState = async (stack: Stack, file: string): Promise<StateResource[]> => {
  const { exitCode, output } = await stack.pulumi(["stack", "export", "--show-secrets", "--file", file]);
  if (exitCode) throw new Error(`bench: the state cannot be exported:\n${output}`);
  const { deployment } = JSON.parse(await readFile(file, "utf8")) as ExportedState;
  return deployment.resources;
};

/** The last part of a resource's URN. */
export const resourceName = ({ urn }: StateResource): string => urn.split("::").at(-1) as string;
