import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { check, hiddenValue, plainSecret } from "./check.ts";
import { hiddenValuesIn } from "./offline.ts";
import { type Problem, problemText } from "./problems.ts";
import { allConfig, getStack, RunError } from "./pulumi.ts";
import { type Deployment, secretKeys } from "./schema.ts";

const prefix = "jtel-chat:";

/**
 * Loads and checks the current stack's values, `jtel-chat:…`.
 *
 * Pulumi supplies the values. The text of the stack file is read only to sort errors as the file does; with
 * `pulumi --config-file FILE`, set `JTEL_CHAT_STACK_FILE=FILE`.
 *
 * @throws RunError with all problems of the values, before any host is connected to.
 */
export const loadDeployment = (): Deployment => {
  const file = stackFile();
  const text = textOf(file);
  const values = stackValues();
  const hidden = hiddenValues(values, text);
  if (hidden.length) throw unusable(hidden, file, text); // and no other problem, which would show them
  const checked = check(values);
  const problems = [...("problems" in checked ? checked.problems : []), ...plainSecrets(values)];
  if ("deployment" in checked && !problems.length) return checked.deployment;
  throw unusable(problems, file, text);
};

const unusable = (problems: Problem[], file: string, text: string) =>
  new RunError(`the stack file is not usable:\n${problemText(problems, basename(file), text)}`);

/** The current stack's file. */
export const stackFile = (): string => process.env.JTEL_CHAT_STACK_FILE ?? `Pulumi.${getStack()}.yaml`;

const stackValues = (): Record<string, unknown> => {
  const entries = Object.entries(allConfig()).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), parsed(value)]));
};

/** Parses one value: Pulumi supplies objects and lists as JSON, all other values as text. */
const parsed = (value: string): unknown => {
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

/** The keys that were encrypted, wholly or in part, as the language host names them, whichever file they came from. */
const encryptedKeys = (): Set<string> => new Set(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]"));

/** Finds encrypted values that are no secrets: by the file, and by the language host where they came from another one. */
const hiddenValues = (values: Record<string, unknown>, text: string): Problem[] => {
  const inFile = hiddenIn(text);
  const encrypted = encryptedKeys();
  const hidden = (key: string) => encrypted.has(prefix + key) && !secretKeys.some((path) => path.startsWith(`${key}.`));
  return inFile.length ? inFile : Object.keys(values).filter(hidden).map(hiddenValue);
};

/** @throws RunError for a text that cannot be searched. */
const hiddenIn = (text: string): Problem[] => {
  try {
    return hiddenValuesIn(text);
  } catch (error) {
    throw new RunError(
      `the stack file is not usable: it cannot be searched for encrypted values: ${(error as Error).message}`,
    );
  }
};

/** Finds secrets in plain text. */
const plainSecrets = (values: Record<string, unknown>): Problem[] => {
  const encrypted = encryptedKeys();
  return secretKeys
    .filter((path) => {
      const [key = "", field = ""] = path.split(".");
      const value = values[key];
      return typeof value === "object" && value !== null && field in value && !encrypted.has(prefix + key);
    })
    .map(plainSecret);
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
