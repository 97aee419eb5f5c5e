import { setTimeout as pause } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { printable } from "../hosts/printable.ts";
import type { ApiVersion } from "./api/version.ts";
import { printedClaim } from "./claim.ts";
import { type CallbacksDocument, parsedDocument } from "./document.ts";

/**
 * The resource's name in the state. Each version has its own: so a stack that changes the version gives back what the other one
 * has set, with the key and at the address that the state has.
 */
export const resourceNames = { v2: "tyntec-webhooks", v3: "tyntec-callbacks" } as const satisfies Record<
  ApiVersion,
  string
>;

/** What a resource's last successful run has made true, and the command that it ran. */
export interface Recorded {
  document: CallbacksDocument;
  create: string;
  /** The proxy that it went through; empty without one, undefined if it has not noted that. */
  proxy: string | undefined;
}

const answer = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.looseObject({}) })),
});
const command = z.object({ create: z.string(), stdin: z.string(), stdout: z.string().catch("") });

/**
 * The resources as the stack's state has them, of either version; none before the first successful `up`.
 *
 * @throws Error that starts with `TynTec:` when the engine does not tell.
 */
export const recordedCallbacks = async (): Promise<Recorded[]> => {
  try {
    return found(await stateOutputs());
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

const found = (said: unknown): Recorded[] =>
  Object.entries(answer.parse(said).outputs)
    .filter(([urn, { type }]) => type === "command:local:Command" && names.includes(urn.split("::").at(-1) ?? ""))
    .map(([, { outputs }]) => {
      const { create, stdin, stdout } = command.parse(outputs);
      return { create, document: parsedDocument(stdin), proxy: printedClaim(stdout)?.proxy };
    });

const names: string[] = Object.values(resourceNames);
