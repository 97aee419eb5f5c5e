import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parsedDocument, type WebhooksDocument } from "./document.ts";

/** The resource's name in the state. */
export const resourceName = "tyntec-webhooks";

/** What the resource's last successful run has made true, and the command that it ran. */
export interface Recorded {
  document: WebhooksDocument;
  create: string;
}

const answer = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.looseObject({}) })),
});
const command = z.object({ create: z.string(), stdin: z.string() });

/**
 * The resource as this stack's state has it; undefined before the first successful `up`.
 *
 * The engine itself answers (`readStackResourceOutputs` of its provider `pulumi`, beside the one of StackReference), in
 * previews, too: so the program knows which events are its own before it registers anything.
 */
export const recordedWebhooks = async (): Promise<Recorded | undefined> => {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const said = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName });
  const resources = Object.entries(answer.parse(said).outputs);
  const found = resources.find(
    ([urn, { type }]) => type === "command:local:Command" && urn.endsWith(`::${resourceName}`),
  );
  if (!found) return undefined;
  const { create, stdin } = command.parse(found[1].outputs);
  return { create, document: parsedDocument(stdin) };
};
