import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test, vi } from "vitest";
import { makeStack } from "../../survey/new-stack.ts";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
afterAll(() => rm(directory, { recursive: true }));

writeFileSync(join(directory, "Pulumi.yaml"), "name: jtel-chat\nruntime: nodejs\n");
vi.stubEnv("PULUMI_BACKEND_URL", `file://${directory}`);
vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "throw-away");

const text = "# first line\nconfig:\n  jtel-chat:topology: lb-hosted # why\n";
const secrets = { "database.password": "-ge\\'heim $x" };
const stacks = async (): Promise<string[]> => {
  const { stdout } = await execa("pulumi", ["-C", directory, "stack", "ls", "--json"]);
  return JSON.parse(stdout).map(({ name }: { name: string }) => name);
};
const files = () => readdirSync(directory).filter((name) => /^\.?Pulumi\..*acme|new-/.test(name));

test("a stack and its file are made, with comments and encrypted secrets", async () => {
  await makeStack(directory, { customer: "acme", text, secrets });
  const written = readFileSync(join(directory, "Pulumi.acme.yaml"), "utf8");
  expect(written).toMatch(/^# first line\nconfig:\n {2}jtel-chat:topology: lb-hosted # why\n/);
  expect(written).toMatch(/password:\s+secure: /);
  expect(written).toMatch(/key:\s+secure: /);
  expect(written).not.toContain("heim");
  const argv = ["-C", directory, "config", "get", "--path", "jtel-chat:database.password", "--stack", "acme"];
  expect((await execa("pulumi", argv)).stdout).toBe(secrets["database.password"]);
  expect(await stacks()).toEqual(["acme"]);
  expect(files()).toEqual(["Pulumi.acme.yaml"]);
});

test("a file that exists stays as it is, and no stack is left behind", async () => {
  writeFileSync(join(directory, "Pulumi.other.yaml"), "mine\n");
  await expect(makeStack(directory, { customer: "other", text, secrets })).rejects.toThrow(
    "exists, and stays as it is",
  );
  expect(readFileSync(join(directory, "Pulumi.other.yaml"), "utf8")).toBe("mine\n");
  expect(await stacks()).toEqual(["acme"]);
});

test("a stack that exists is named, and stays", async () => {
  await rm(join(directory, "Pulumi.acme.yaml"));
  await expect(makeStack(directory, { customer: "acme", text, secrets })).rejects.toThrow(/acme' already exists/);
  expect(files()).toEqual([]);
  expect(await stacks()).toEqual(["acme"]);
});

test("one that is interrupted leaves nothing", async () => {
  const making = makeStack(directory, { customer: "third", text, secrets });
  const stack = join(directory, ".pulumi/stacks/jtel-chat/third.json");
  await vi.waitUntil(() => existsSync(stack), { timeout: 20_000, interval: 20 });
  process.emit("SIGINT");
  await expect(making).rejects.toThrow("interrupted");
  expect(await stacks()).toEqual(["acme"]);
  expect(existsSync(join(directory, "Pulumi.third.yaml"))).toBe(false);
});

test.each([
  ["a name that has a file", ["other"], "Pulumi.other.yaml exists, and stays as it is. Choose another name"],
  ["a customer that the inventory does not have", ["fifth"], "fifth: the inventory has no host of that customer"],
  ["an unusable flag", ["fourth", "--maintenance", "nights"], "--maintenance: is no maintenance window. Example:"],
])("the command refuses %s before it asks a host, and makes nothing", async (_, argv, why) => {
  writeFileSync(join(directory, "customers.csv"), "customer,name,address,user\nfourth,lb1,192.0.2.1,deploy\n");
  const command = new URL("../../cli/new.ts", import.meta.url).pathname;
  const given = [command, ...argv, "--from", "customers.csv", "--yes"];
  const { exitCode, stderr } = await execa("node", given, { cwd: directory, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(why) });
  expect(files()).not.toContain("Pulumi.fourth.yaml");
});
