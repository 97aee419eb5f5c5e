import { readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";

/** The name of the project, as Pulumi.yaml has it. */
export const project = (): string => {
  const text = readFileSync(new URL("../Pulumi.yaml", import.meta.url), "utf8");
  return (parseYaml(text) as { name: string }).name;
};
