import { setTimeout as pause } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { printable } from "../hosts/printable.ts";
import type { ApiVersion } from "./api/version.ts";
import { type CallbacksDocument, parsedDocument } from "./document.ts";

/**
 * The resource's name in the state. Each version has its own: so a stack that changes the version gives back what the other one
 * has set, with the key and at the address that the state has.
 */
export const resourceNames = { v2: "tyntec-webhooks", v3: "tyntec-callbacks" } as const satisfies Record<
  ApiVersion,
  string
>;

/** What the resource's last successful run has made true, and the command that it ran. */
export interface Recorded {
  document: CallbacksDocument;
  create: string;
}

const answer = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.looseObject({}) })),
});
const command = z.object({ create: z.string(), stdin: z.string() });

/**
 * This version's resource as the stack's state has it; undefined before its first successful `up`.
 *
 * @throws Error that starts with `TynTec:` when the engine does not tell.
 */
export const recordedCallbacks = async (version: ApiVersion): Promise<Recorded | undefined> => {
  try {
    return found(await stateOutputs(), resourceNames[version]);
  } catch (error) {
    const said = printable(error instanceof Error ? error.message : String(error));
    throw new Error(
      `TynTec: which events are this stack's own is not known: pulumi does not tell what the state holds (${said}). Use the version that toolchain/versions names`,
    );
  }
};

/**
 * The engine itself answers (`readStackResourceOutputs` of its provider `pulumi`, which also serves StackReference), in
 * previews, too: so the program knows what is its own before it registers anything.
 */
const stateOutputs = async (): Promise<unknown> => {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  for (let left = 20; ; left -= 1) {
    try {
      return await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName });
    } catch (error) {
      // The engine writes the state of the first resources meanwhile, and a backend of files is then read half written.
      if (!left || !/checkpoint/.test(String(error))) throw error;
      await pause(100);
    }
  }
};

const found = (said: unknown, name: string): Recorded | undefined => {
  const resources = Object.entries(answer.parse(said).outputs);
  const ours = resources.find(([urn, { type }]) => type === "command:local:Command" && urn.endsWith(`::${name}`));
  if (!ours) return undefined;
  const { create, stdin } = command.parse(ours[1].outputs);
  return { create, document: parsedDocument(stdin) };
};
