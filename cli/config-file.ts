import { resolve } from "node:path";

/** Pulumi's arguments for another stack file than `Pulumi.STACK.yaml`. The program reads that one, too, and so does the approval. */
export const configFile = (file: string | undefined): string[] => {
  if (!file) return [];
  process.env.JTEL_CHAT_STACK_FILE = resolve(file);
  return ["--config-file", file];
};
