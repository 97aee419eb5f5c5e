import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type SshLimits, ssh, sshArguments } from "../../hosts/ssh/ssh.ts";
import { until } from "../../lab/deadline.ts";

const target = { address: "10.1.0.21", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" };
const kib = 1024;
const small: SshLimits = { stdout: 100 * kib, stderr: 10 * kib, time: 60_000 };
const path = process.env.PATH;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "jtel-chat-ssh-"));
  process.env.PATH = `${directory}${delimiter}${path}`;
});

afterEach(async () => {
  process.env.PATH = path;
  await rm(directory, { recursive: true });
});

/** Calls a program that stands where ssh is looked for; its process id is the first line of `pid`. */
const call = async (script: string, limits?: SshLimits) => {
  const program = join(directory, "ssh");
  await writeFile(program, `#!/bin/sh\necho $$ >'${directory}/pid'\n${script}\n`);
  await chmod(program, 0o755);
  return ssh(target, "true", "request\n".repeat(50_000), limits);
};

/** Calls it, and expects that neither its process nor a timer of ours is left when the result comes. */
const callThatLeavesNothing = async (script: string, limits: SshLimits) => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  const result = await call(script, limits);
  const deadline = set.mock.results.at(set.mock.calls.findIndex(([, time]) => time === limits.time));
  expect(cleared).toHaveBeenCalledWith(deadline?.value);
  vi.restoreAllMocks();
  const pid = Number(await readFile(join(directory, "pid"), "utf8"));
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  return result;
};

test("what a host says comes as it is, however it is cut into pieces", async () => {
  const result = await call(`cat >/dev/null; printf '\\303'; sleep 0.05; printf '\\244b'; echo c >&2; exit 3`);
  expect(result).toEqual({ exitCode: 3, stdout: "äb", stderr: "c\n", ended: undefined });
});

test("16 MiB are an answer, more is none", async () => {
  const mebibytes = (count: number) => `head -c ${count * kib * kib} /dev/zero`;
  expect((await call(mebibytes(16))).stdout).toHaveLength(16 * kib * kib);
  expect(await call(`${mebibytes(17)}; exec sleep 60`)).toMatchObject({ ended: "sent more than 16384 KiB" });
});

test("what is asked for is sent once, as the end; what is not, never, and nothing waits for it", async () => {
  const more = { asked: "\u001ewanted\n", text: "the text" };
  const answered = async (script: string) => {
    await call("exit 0"); // puts the program there
    await writeFile(join(directory, "ssh"), `#!/bin/sh\nread request; ${script}\n`);
    return (await ssh(target, "true", { text: "the request\n", more })).stdout;
  };
  const cut = "printf '\\036wan'; sleep 0.05; printf 'ted\\n'";
  expect(await answered(`${cut}; echo "$request, $(cat)"`)).toBe("\u001ewanted\nthe request, the text\n");
  expect(await answered('echo "$request"')).toBe("the request\n");
});

test("a program that fails before its questions are known ends, and ssh with it", async () => {
  const module = new URL("../../hosts/ssh/ssh.ts", import.meta.url).href;
  await call("exit 0"); // puts the program there
  await writeFile(join(directory, "ssh"), `#!/bin/sh\ncat; echo ended >'${directory}/ended'\n`);
  const program = `import { ssh } from "${module}"; ssh(${JSON.stringify(target)}, "true", new Promise(() => {}));`;
  const env = { TMPDIR: directory };
  await execa(process.execPath, ["--input-type=module", "--eval", program], { env, timeout: 60_000 });
  expect(await readdir(directory)).not.toContainEqual(expect.stringMatching(/^jtel-chat-/));
  await until("the end of ssh", 10, () => readFile(join(directory, "ended"), "utf8").catch(() => undefined));
});

const size = { ...small, time: 61_000 };
const time = { ...small, time: 500 };

test.each([
  ["prints without end", "exec yes", size, "sent more than 100 KiB"],
  ["floods stderr", "exec yes >&2", size, "sent more than 10 KiB"],
  ["never ends", "exec sleep 600", time, "gave no answer within 0.5 s"],
  ["drips", "while :; do echo x; sleep 0.05; done", time, "gave no answer within 0.5 s"],
  ["will not end when it is asked to", "trap '' TERM INT HUP; while :; do sleep 0.05; done", time, "0.5 s"],
  ["leaves a child that holds its pipes", "sleep 5 & exec sleep 600", time, "0.5 s"],
  ["reads nothing", "exec sleep 600 <&-", time, "0.5 s"],
])("an ssh that %s is ended, and nothing of it stays", async (_, script, limits, ended) => {
  const result = await callThatLeavesNothing(script, limits);
  expect(result.ended).toContain(ended);
  expect(result.stdout.length).toBeLessThanOrEqual(limits.stdout);
  expect(result.stderr.length).toBeLessThanOrEqual(limits.stderr);
});

test("no timer stays after a call that ended by itself", () => callThatLeavesNothing("cat >/dev/null", size));

test("without ssh on this machine the result says so", async () => {
  process.env.PATH = directory;
  const result = await ssh(target, "true", "");
  expect(result).toMatchObject({ exitCode: 127, stderr: expect.stringContaining("ENOENT") });
});

const remote = { address: "192.0.2.1", port: 2222, user: "deploy", hostKey: "ssh-ed25519 AAAA" };

test("ssh takes nothing from the user's own configuration and negotiates the pinned key's type only", () => {
  const argv = sshArguments(remote, "/tmp/known");
  expect(argv.slice(0, 2)).toEqual(["-F", "none"]);
  expect(argv).toContain("StrictHostKeyChecking=yes");
  expect(argv).toContain("HostKeyAlgorithms=ssh-ed25519");
  expect(argv.at(-1)).toBe("192.0.2.1");
});

test("a jump host is reached with its own pinned key", () => {
  const argv = sshArguments(
    { ...remote, jump: { ...remote, address: "192.0.2.9", hostKey: "ssh-rsa BBBB" } },
    "/tmp/known",
  );
  const proxy = argv.find((argument) => argument.startsWith("ProxyCommand="));
  expect(proxy).toContain("HostKeyAlias=jump");
  expect(proxy).toContain("HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256");
  expect(proxy).toMatch(/-W \[%h\]:%p 192\.0\.2\.9$/);
});

test("an agent of the stack's own is asked for the key, by the host and the jump host", () => {
  const behind = {
    ...target,
    agentSocket: "/run/acme",
    jump: { address: "10.1.0.1", port: 22, user: "j", hostKey: "k x" },
  };
  const words = sshArguments(behind, "/tmp/known");
  expect(words).toContain("IdentityAgent=/run/acme");
  expect(words.find((word) => word.startsWith("ProxyCommand="))).toContain("-o IdentityAgent=/run/acme");
  expect(sshArguments(target, "/tmp/known").join(" ")).not.toContain("IdentityAgent");
});

test("nothing of the program's environment that ssh does not need reaches it: the stack's secrets are in there", async () => {
  vi.stubEnv("PULUMI_CONFIG", '{"jtel-chat:database":{"password":"s3cret"}}');
  vi.stubEnv("TYNTEC_API_KEY", "k3y");
  vi.stubEnv("SSH_AUTH_SOCK", "/run/agent");
  const { stdout } = await call("env");
  vi.unstubAllEnvs();
  expect(stdout).not.toMatch(/s3cret|k3y|PULUMI/);
  expect(stdout).toContain("SSH_AUTH_SOCK=/run/agent");
});
