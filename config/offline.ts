import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { load as parseYaml } from "js-yaml";
import { check } from "./check.ts";
import { problemText } from "./problems.ts";
import type { Deployment } from "./schema.ts";

/** A stack file, as far as it is read without Pulumi. */
interface StackFile {
  config?: Record<string, unknown>;
  encryptionsalt?: string;
  encryptedkey?: string;
  secretsprovider?: string;
}

const prefix = "jtel-chat:";

/** Stands for a value that only Pulumi can decrypt: it passes every check of a secret. */
const undecrypted = "0".repeat(64);

/**
 * Loads and checks a stack file without Pulumi, so without its secrets: `undecrypted` stands in their place.
 *
 * @throws Error with all problems of the values.
 */
export const offlineDeployment = (file: string): Deployment => {
  const text = readFileSync(file, "utf8");
  const { config = {} } = (parseYaml(text) ?? {}) as StackFile;
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  const checked = check(
    Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), withoutSecrets(value)])),
  );
  if ("deployment" in checked) return checked.deployment;
  throw new Error(`the stack file is not usable:\n${problemText(checked.problems, basename(file), text)}`);
};

/** Whether Pulumi has made a stack of a file: then it says how its secrets are encrypted. An example does not. */
export const isStack = (file: string): boolean => {
  const { encryptionsalt, encryptedkey, secretsprovider } = (parseYaml(readFileSync(file, "utf8")) ?? {}) as StackFile;
  return Boolean(encryptionsalt ?? encryptedkey ?? secretsprovider);
};

const withoutSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return undecrypted;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each)]));
};
