import { mkdtempSync } from "node:fs";
import { copyFile, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
afterAll(() => rm(directory, { recursive: true }));

const checkout = join(import.meta.dirname, "../..");

const env = {
  PULUMI_BACKEND_URL: `file://${directory}`,
  PULUMI_CONFIG_PASSPHRASE: "throw-away",
  JTEL_CHAT_OBSERVE: "never", // their addresses are reserved for examples
};

test.each(["Pulumi.prod.yaml", "examples/co-located.yaml", "examples/lb-hosted.yaml"])(
  "Pulumi gives the program the values of %s in a form that it takes",
  async (name) => {
    const stack = basename(name, ".yaml").replace("Pulumi.", "");
    const file = join(directory, `Pulumi.${stack}.yaml`);
    const pulumi = (cwd: string, argv: string[], input = "") => execa("pulumi", argv, { cwd, env, input, all: true });
    await copyFile(join(checkout, name), file);
    await copyFile(join(checkout, "Pulumi.yaml"), join(directory, "Pulumi.yaml"));
    await pulumi(directory, ["stack", "init", stack]);
    const withWhatsApp = (await readFile(file, "utf8")).includes("jtel-chat:whatsapp");
    for (const key of ["database.password", ...(withWhatsApp ? ["tyntec.apiKey"] : [])]) {
      const path = ["--path", `jtel-chat:${key}`, "--stack", stack];
      await pulumi(directory, ["config", "set", "--secret", ...path], "throw-away");
    }
    const { all } = await pulumi(checkout, ["preview", "--stack", stack, "--config-file", file, "--non-interactive"]);
    expect(all).toMatch(/\+ \d+ to create/);
  },
);
