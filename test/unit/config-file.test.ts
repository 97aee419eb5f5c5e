import { afterEach, expect, test, vi } from "vitest";
import { configFile } from "../../cli/config-file.ts";

afterEach(() => vi.unstubAllEnvs());

test("--config-file counts where the environment names another stack file", () => {
  vi.stubEnv("JTEL_CHAT_STACK_FILE", "/elsewhere/Pulumi.acme.yaml");
  expect(configFile("/here/Pulumi.acme.yaml")).toEqual(["--config-file", "/here/Pulumi.acme.yaml"]);
  expect(process.env.JTEL_CHAT_STACK_FILE).toBe("/here/Pulumi.acme.yaml");
});
