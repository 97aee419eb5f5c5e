import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { accountsScript, keyLines, sudoers, withoutAccountsScript } from "../../render/accounts.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAM";
const accounts = { deploy: { user: "deploy", key }, observer: { user: "observer", key } };

test("sudo lets the accounts do what docs/security.md says, and no more", () => {
  const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
  for (const line of sudoers(accounts)) expect(page).toContain(`\n${line}\n`);
  const [, forced = ""] = /^(restrict,command="[^"]+") /m.exec(page) ?? [];
  expect(keyLines(accounts)[1]?.[1].startsWith(`${forced} `)).toBe(true);
  expect(sudoers({ deploy: accounts.deploy }).join()).not.toContain("observe");
});

test.each([accountsScript, withoutAccountsScript])("the script is one that a POSIX shell reads: %o", async (script) => {
  await execa("dash", ["-n"], { input: script(accounts) });
});

test("a text that would leave its quotes is refused", () => {
  expect(() => accountsScript({ deploy: { user: "x", key: "k'; id" } })).toThrow("Expected a text without '");
});

test("a dry run shows accounts and rights, takes no private key, and connects to nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
  const example = readFileSync(new URL("../../examples/lb-hosted.yaml", import.meta.url), "utf8");
  writeFileSync(
    join(directory, "Pulumi.acme.yaml"),
    example.replace("acd-dbm }", "acd-dbm, password: { secure: x } }"),
  );
  writeFileSync(join(directory, "key.pub"), `${key} alice\n`);
  writeFileSync(join(directory, "key"), "-----BEGIN OPENSSH PRIVATE KEY-----\n");
  const cli = new URL("../../cli/bootstrap.ts", import.meta.url).pathname;
  const run = (file: string) =>
    execa("node", [cli, "--stack", "acme", "--as", "alice", "--key", file], { cwd: directory, reject: false });
  const { stdout } = await run("key.pub");
  expect(stdout).toContain("Set up on lb1, lb2:");
  expect(stdout).toContain("deploy ALL=(root) NOPASSWD: ALL");
  expect(stdout).toContain("deploy is root's equal");
  expect(stdout).toContain("Nothing was changed yet");
  expect(stdout).not.toContain("observe");
  expect((await run("key")).stderr).toContain("holds no public key");
  await rm(directory, { recursive: true });
});
