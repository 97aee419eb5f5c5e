import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect } from "vitest";
import { type CallbacksDocument, documentText } from "../tyntec/document.ts";
import type { LoopbackTyntec } from "./tyntec-stand-in.ts";

const program = fileURLToPath(new URL("../tyntec/webhooks.ts", import.meta.url));

/**
 * Runs what Pulumi runs for the document, and says which requests it made; never shows the key.
 *
 * @param previous Standard output of the run before.
 */
export const runProgram = async (
  tyntec: LoopbackTyntec,
  action: "apply" | "undo",
  document: CallbacksDocument,
  previous = "",
) => {
  const { length } = await tyntec.requests();
  const env = { TYNTEC_API_KEY: tyntec.apiKey, PULUMI_COMMAND_STDOUT: previous };
  const input = documentText(document);
  const { failed, stdout, stderr } = await execa(process.execPath, [program, action], { input, env, reject: false });
  expect(stdout + stderr).not.toContain(tyntec.apiKey);
  const methods = (await tyntec.requests()).slice(length).map(({ method }) => method);
  return { failed, stdout, stderr, methods };
};
