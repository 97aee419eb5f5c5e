import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findings } from "../../doctor/checks.ts";
import { collected } from "../../doctor/collect.ts";
import { makeStack } from "../../survey/new-stack.ts";
import { type SshAgent, type SshServer, startSshAgent, startSshServer } from "./ssh-server.ts";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
const passphrase = join(directory, "passphrase");
const env: Record<string, string | undefined> = {
  ...process.env,
  ...{
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    HTTPS_PROXY: "",
    https_proxy: "",
  },
};
let agent: SshAgent;
let server: SshServer;

const stackFile = (port: number, hostKey: string): string => `config:
  jtel-chat:topology: lb-hosted
  jtel-chat:public: { scheme: https, host: chat.acme.example }
  jtel-chat:ssh: { user: deploy, become: sudo }
  jtel-chat:loadBalancers:
    - { name: lb1, address: 127.0.0.1, port: ${port}, hostKey: "${hostKey}" }
  jtel-chat:database: { host: acd-dbm }
`;

/** What is found, without what this machine has of its own: packages, plugins and clock. */
const found = async (change: typeof env = {}): Promise<string[]> => {
  const facts = await collected(directory, "acme", { ...env, ...change });
  const here = { clock: { synchronized: undefined, now: Date.now() }, sdk: { wanted: "1.0.0", installed: "1.0.0" } };
  return findings({ ...facts, ...here, plugins: {} }).map(({ about, text }) => `${about}: ${text}`);
};

beforeAll(async () => {
  agent = await startSshAgent(directory);
  server = await startSshServer(directory, "lb1", agent);
  env.SSH_AUTH_SOCK = agent.socket;
  writeFileSync(passphrase, "throw-away", { mode: 0o600 });
  writeFileSync(join(directory, "package.json"), "{}");
  writeFileSync(join(directory, "Pulumi.yaml"), "name: jtel-chat\nruntime: nodejs\n");
  process.env.PULUMI_BACKEND_URL = env.PULUMI_BACKEND_URL;
  process.env.PULUMI_CONFIG_PASSPHRASE_FILE = passphrase;
  const text = stackFile(server.port, server.hostKey);
  await makeStack(directory, { customer: "acme", text, secrets: { "database.password": "geheim" } });
});

afterAll(async () => {
  await server.stop();
  await agent.stop();
  await rm(directory, { recursive: true });
});

test("nothing is wrong with a stack whose host, agent, backend and passphrase are there", async () => {
  expect(await found()).toEqual([]);
});

test("what is planted is found by really asking", async () => {
  expect(await found({ SSH_AUTH_SOCK: join(directory, "gone") })).toEqual([
    expect.stringContaining("no ssh agent answers"),
  ]);
  expect(await found({ HTTPS_PROXY: "http://127.0.0.1:1" })).toEqual([expect.stringContaining("(ECONNREFUSED)")]);
  expect(await found({ PULUMI_BACKEND_URL: `file://${directory}/gone` })).toEqual([
    expect.stringMatching(/the backend file:.* cannot be used \(.*no such file/),
  ]);
  const wrong = join(directory, "wrong");
  writeFileSync(wrong, "other", { mode: 0o644 });
  expect(await found({ PULUMI_CONFIG_PASSPHRASE_FILE: wrong })).toEqual([
    expect.stringContaining("not the one that its secrets were encrypted with"),
    expect.stringContaining(`chmod 600 ${wrong}`),
  ]);
});

test("a lock is named with whether its process runs", async () => {
  const folder = join(directory, ".pulumi/locks/organization/jtel-chat/acme");
  mkdirSync(folder, { recursive: true });
  const lock = { pid: 4_194_305, username: "bob", hostname: hostname(), timestamp: "2026-11-26T09:00:00Z" };
  writeFileSync(join(folder, "x.json"), JSON.stringify(lock));
  expect(await found()).toEqual([expect.stringMatching(/held by bob on .*that process has ended.*pulumi cancel/)]);
  writeFileSync(join(folder, "x.json"), JSON.stringify({ ...lock, pid: process.pid }));
  expect(await found()).toEqual([expect.stringContaining("Wait until that has ended")]);
  await rm(folder, { recursive: true });
});

test("a host with another key, and one that is off, are told apart", async () => {
  const file = join(directory, "Pulumi.acme.yaml");
  const good = readFileSync(file, "utf8");
  writeFileSync(
    file,
    good.replace(server.hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAM"),
  );
  expect(await found()).toEqual([expect.stringMatching(/^lb1: it offers another host key/)]);
  writeFileSync(file, good.replace(`port: ${server.port}`, "port: 1"));
  expect(await found()).toEqual([expect.stringMatching(/^lb1: nothing listens on 127\.0\.0\.1, port 1/)]);
  writeFileSync(file, good);
});
