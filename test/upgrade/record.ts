/**
 * Keeps the state of a stack that this version has applied, for all later versions to be tried on:
 *
 *     toolchain/exec node test/upgrade/record.ts 2026-11
 *
 * Writes below test/upgrade/states: NAME.json (`pulumi stack export`), NAME.yaml (its stack file) and NAME.passphrase, which
 * opens their secrets – those of a lab that is gone. An older state is never made anew: it is what customers have.
 */
import { readFile, writeFile } from "node:fs/promises";
import { downLab, upLab } from "../../lab/lab.ts";
import { labStack } from "../../lab/stack.ts";

const main = async (name: string): Promise<void> => {
  const lab = await upLab(`record-${process.pid}`, { temporary: true, progress: console.log });
  try {
    const stack = await labStack(lab);
    const up = await stack.pulumi(["up", "--yes", "--skip-preview"], { show: true });
    if (up.exitCode) throw new Error("the state of a failed up is of no use");
    const exported = await stack.pulumi(["stack", "export"]);
    const passphrase = await readFile(stack.environment.PULUMI_CONFIG_PASSPHRASE_FILE as string, "utf8");
    const texts = { json: essence(exported.output), yaml: await readFile(stack.file, "utf8"), passphrase };
    for (const [suffix, text] of Object.entries(texts)) {
      const portable = text.replaceAll(lab.caFile, "/etc/ssl/certs/tyntec.pem");
      await writeFile(new URL(`states/${name}.${suffix}`, import.meta.url), portable);
    }
  } finally {
    await downLab(lab.name);
  }
};

/** Without what says nothing: places in the source, and the host tool's text, which changes with every version. */
const essence = (exported: string): string => {
  const state = JSON.parse(exported);
  for (const resource of state.deployment.resources) {
    delete resource.sourcePosition;
    delete resource.stackTrace;
    if (!resource.urn.endsWith("-tool")) continue;
    for (const values of [resource.inputs, resource.outputs])
      values.stdin = values.stdin.replace(/\t#!\/usr\/bin\/[\s\S]*/, "\t(the host tool)\n");
  }
  return `${JSON.stringify(state, undefined, 1)}\n`;
};

const [name] = process.argv.slice(2);
if (!name) throw new Error("Usage: toolchain/exec node test/upgrade/record.ts NAME");
await main(name);
