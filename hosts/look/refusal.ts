import { RunError } from "../../config/pulumi.ts";

/**
 * Why nothing is changed: what the program ends with, and what every answer rejects with.
 *
 * Has to be one and the same error for all: Pulumi prints it once, whoever brings it. Its text cannot be changed, since Pulumi
 * writes `error serializing property "create": ` before that of every input that rejects.
 */
export const refusal = (problems: string[]): RunError => {
  const text = `nothing was changed:\n${[...new Set(problems)].join("\n")}`;
  return Object.defineProperty(new RunError(text), "message", { get: () => text, set: () => {} });
};
