import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const states = join(import.meta.dirname, "states");
const names = (await readdir(states)).filter((file) => file.endsWith(".json")).map((file) => file.replace(".json", ""));

interface PreviewedStep {
  op: string;
  urn: string;
}

/** What `pulumi preview` would do with a stack that an earlier version has applied; its hosts are not looked at. */
const previewed = async (name: string): Promise<PreviewedStep[]> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-upgrade-"));
  const file = join(directory, "Pulumi.dev.yaml");
  const env = {
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(states, `${name}.passphrase`),
    JTEL_CHAT_STACK_FILE: file,
    JTEL_CHAT_OBSERVE: "never",
  };
  const pulumi = async (...argv: string[]) =>
    (await execa("pulumi", [...argv, "--non-interactive", "--color", "never"], { cwd: checkout, env })).stdout;
  try {
    await copyFile(join(checkout, "Pulumi.yaml"), join(directory, "Pulumi.yaml"));
    await pulumi("-C", directory, "stack", "init", "dev");
    await copyFile(join(states, `${name}.yaml`), file); // its salt belongs to the passphrase
    await pulumi("-C", directory, "stack", "import", "--stack", "dev", "--file", join(states, `${name}.json`));
    return JSON.parse(await pulumi("preview", "--json", "--show-sames", "--stack", "dev", "--config-file", file)).steps;
  } finally {
    await rm(directory, { recursive: true });
  }
};

describe("a stack that an earlier version has applied", () => {
  test.each(names)("is upgraded without replacing or deleting anything: %s", async (name) => {
    const steps = await previewed(name);
    expect(steps.length).toBeGreaterThan(20);
    const others = steps.filter(({ op }) => op !== "same" && op !== "update");
    // The id that makes it the owner of its hosts; earlier versions had none.
    const added = others.filter(({ op, urn }) => op === "create" && urn.endsWith("::pulumi:index:Stash::owner"));
    expect(others).toEqual(added);
  });
});
