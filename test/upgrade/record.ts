/**
 * Keeps the state of a stack that this version has applied, for all later versions to be tried on:
 *
 *     toolchain/exec node test/upgrade/record.ts 2026-11
 *
 * Writes test/upgrade/states/NAME.json (`pulumi stack export`, with the lab's own throw-away secrets readable) and NAME.yaml
 * (its stack file without secrets). An older one is never made anew: it is what customers have.
 */
import { readFile, writeFile } from "node:fs/promises";
import { dump, load } from "js-yaml";
import { downLab, upLab } from "../../lab/lab.ts";
import { labStack } from "../../lab/stack.ts";

interface StackFile {
  config: Record<string, Record<string, unknown>>;
}

const main = async (name: string): Promise<void> => {
  const lab = await upLab(`record-${process.pid}`, { temporary: true, progress: console.log });
  try {
    const stack = await labStack(lab);
    const up = await stack.pulumi(["up", "--yes", "--skip-preview"], { show: true });
    if (up.exitCode) throw new Error("the state of a failed up is of no use");
    const target = (suffix: string) => new URL(`states/${name}.${suffix}`, import.meta.url);
    const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
    await writeFile(target("json"), withoutTheTool(exported.output));
    const { config } = load(await readFile(stack.file, "utf8")) as StackFile;
    for (const key of ["database", "tyntec"])
      delete config[`jtel-chat:${key}`]?.[key === "database" ? "password" : "apiKey"];
    delete config["jtel-chat:tyntec"]?.caFile;
    await writeFile(target("yaml"), dump({ config }, { lineWidth: -1 }));
  } finally {
    await downLab(lab.name);
  }
};

/** The host tool's text changes with every version and says nothing here; the state stays readable without it. */
const withoutTheTool = (exported: string): string => {
  const state = JSON.parse(exported);
  delete state.deployment.secrets_providers; // the lab's passphrase is gone with the lab
  for (const { urn, inputs, outputs } of state.deployment.resources)
    if (urn.endsWith("-tool"))
      for (const values of [inputs, outputs])
        values.stdin = values.stdin.replace(
          /content:\n {2}#!\/usr\/bin\/env python3[\s\S]*/,
          "content:\n  (the host tool)\n",
        );
  return `${JSON.stringify(state, undefined, 1)}\n`;
};

const [name] = process.argv.slice(2);
if (!name) throw new Error("Usage: toolchain/exec node test/upgrade/record.ts NAME");
await main(name);
