import * as pulumi from "@pulumi/pulumi";
import type { Deployment } from "../config/schema.ts";
import { Look } from "../hosts/look/look.ts";
import type { StepQuestion } from "../hosts/look/question.ts";
import { topologies } from "./topologies.ts";

let ready: Promise<void> | undefined;

/** Has Pulumi's library register resources with nobody: no engine runs. */
const withoutEngine = (): Promise<void> => {
  ready ??= pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, output: inputs.input, stdout: "1a2b3c4d5e6f7a8b" }, // of a stash and of a secret step
      }),
      call: ({ inputs }) => inputs,
    },
    ...(["jtel-chat", "none"] as const), // no preview: its transforms need an engine
  );
  return ready;
};

/**
 * Lists what an `up` of a stack would ask its hosts, with the documents that it would apply, as far as they are known beforehand.
 * Asks no host and needs no engine. TynTec is left out, which is on no host, and the host tool's own step, which names the stack's id.
 */
export const documentsOf = async (deployment: Deployment): Promise<StepQuestion[]> => {
  await withoutEngine();
  const look = new Look(async ({ name }) => ({ name, answers: {}, problems: [] }));
  topologies[deployment.topology]({ ...deployment, tyntec: undefined }, look);
  let questions: StepQuestion[] = [];
  await look.close(async (sight) => {
    questions = sight.questions;
    return [];
  });
  return questions.filter(({ step }) => step !== "tool");
};
