import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { load as parseYaml } from "js-yaml";
import { check, hiddenValue, plainSecret } from "./check.ts";
import { keyPath, type Problem, problemText } from "./problems.ts";
import { type Deployment, secretKeys } from "./schema.ts";

/** A stack file, as far as it is read without Pulumi. */
interface StackFile {
  config?: Record<string, unknown>;
}

const prefix = "jtel-chat:";

/** Stands for a value that only Pulumi can decrypt: it passes every check of a secret. */
const undecrypted = "0".repeat(64);

/**
 * The content of a stack file's text; nothing of one that has only comments.
 *
 * @throws Error where Pulumi would read something else than this program, or the text is no YAML.
 */
const contentOf = (text: string): StackFile => {
  const separator = otherLineEnds.exec(text)?.[0].codePointAt(0);
  if (separator)
    throw new Error(
      `the character U+${separator.toString(16).padStart(4, "0")} ends a line for Pulumi, and not for other programs. Remove it`,
    );
  const isEmpty = text.split("\n").every((line) => /^\s*(?:#.*)?$/.test(line));
  return isEmpty ? {} : ((parseYaml(text) ?? {}) as StackFile);
};

/** Characters that end a line in Pulumi's YAML and in no other: what stands behind them is a comment for one of the two. */
export const otherLineEnds = /[\u0085\u2028\u2029]/;

/**
 * Loads and checks a stack file without Pulumi, so without its secrets: `undecrypted` stands in their place.
 *
 * @throws Error with all problems of the values.
 */
export const offlineDeployment = (file: string): Deployment => {
  const text = readFileSync(file, "utf8");
  const checked = check(stackFileValues(text));
  if ("deployment" in checked) return checked.deployment;
  throw new Error(`the stack file is not usable:\n${problemText(checked.problems, basename(file), text)}`);
};

/** The values below `jtel-chat:` in the text of a stack file, as `check` takes them; secrets are `undecrypted`. */
export const stackFileValues = (text: string): Record<string, unknown> => {
  const { config } = contentOf(text);
  const own = Object.entries(config ?? {}).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), withoutSecrets(value)]));
};

/** Whether Pulumi has made a stack of a file with this text: then it says how its secrets are encrypted. An example does not. */
export const isStack = (text: string): boolean => /^(?:encryptionsalt|encryptedkey|secretsprovider):/m.test(text);

/** The files of the working directory that Pulumi has made stacks of. */
export const stackFilesHere = (): string[] =>
  readdirSync(".")
    .filter((name) => /^Pulumi\..+\.yaml$/.test(name) && isStack(readFileSync(name, "utf8")))
    .sort();

/** Problems of secrets that are not encrypted in the text of a stack file. */
export const plainSecretsIn = (text: string): Problem[] => {
  const { config } = contentOf(text);
  return secretKeys.filter((path) => typeof valueAt(config, path) === "string").map(plainSecret);
};

/** Problems of values that are encrypted in the text of a stack file, and are no secrets. */
export const hiddenValuesIn = (text: string): Problem[] => {
  const { config } = contentOf(text);
  const own = Object.entries(config ?? {}).filter(([key]) => key.startsWith(prefix));
  return own
    .flatMap(([key, value]) => encryptedIn([key.slice(prefix.length)], value))
    .filter((path) => !secretKeys.some((secret) => secret === path || secret.startsWith(`${path}.`)))
    .map(hiddenValue);
};

/** Where a value has encrypted ones, as `loadBalancers[0].address`. */
const encryptedIn = (path: PropertyKey[], value: unknown): string[] => {
  if (typeof value !== "object" || value === null) return [];
  if ("secure" in value) return [keyPath(path)];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, each]) => encryptedIn([...path, key], each));
};

const valueAt = (config: Record<string, unknown> | undefined, path: string): unknown => {
  const [key = "", field = ""] = path.split(".");
  return (config?.[prefix + key] as Record<string, unknown> | undefined)?.[field];
};

const withoutSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return undecrypted;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each)]));
};
