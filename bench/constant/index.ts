import { readFileSync } from "node:fs";
import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type ExportedState, resourceName, type StateResource } from "../state.ts";

const file = process.env.JTEL_CHAT_BENCH_STATE;
if (!file) throw new pulumi.RunError("this program belongs to a measurement. Run: toolchain/exec node bench/noop.ts");
const { resources } = (JSON.parse(readFileSync(file, "utf8")) as ExportedState).deployment;

/** The key by which a state marks a secret; beside it is the value, as JSON. */
const secretMark = "4dabf18193072939515e22adb298388d";

const revived = (stored: unknown): unknown => {
  if (typeof stored !== "object" || stored === null) return stored;
  if (Array.isArray(stored)) return stored.map(revived);
  if (secretMark in stored) return pulumi.secret(JSON.parse((stored as unknown as { plaintext: string }).plaintext));
  return Object.fromEntries(Object.entries(stored).map(([key, value]) => [key, revived(value)]));
};

const registered = new Map<string, pulumi.Resource>();

const register = (resource: StateResource): pulumi.Resource => {
  const parent = registered.get(resource.parent ?? "");
  const dependsOn = (resource.dependencies ?? []).flatMap((urn) => registered.get(urn) ?? []);
  const options = { dependsOn, ...(parent && { parent }) };
  const name = resourceName(resource);
  const inputs = revived(resource.inputs ?? {});
  switch (resource.type) {
    case "command:remote:Command":
      return new remote.Command(name, inputs as remote.CommandArgs, options);
    case "command:local:Command":
      return new local.Command(name, inputs as local.CommandArgs, options);
    case "pulumi:index:Stash":
      return new pulumi.Stash(name, inputs as pulumi.StashArgs, { ...options, ignoreChanges: ["input"] });
    default:
      return new pulumi.ComponentResource(resource.type, name, {}, options);
  }
};

for (const resource of resources.filter(({ type }) => !/^pulumi:(?:pulumi|providers):/.test(type))) {
  registered.set(resource.urn, register(resource));
}

/** The stack's outputs: an `up` compares them, too. */
export default () => revived(resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {});
