import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { agentSocketOf, hostsOf } from "../config/hosts.ts";
import { isStack, offlineDeployment } from "../config/offline.ts";
import { type Deployment, type HostConfig, secretKeys } from "../config/schema.ts";
import { printable } from "../hosts/printable.ts";
import { offeredKeys } from "../hosts/ssh/host-keys.ts";
import type { Agent, Backend, Facts, HostFacts, Lock, Passphrase, ProxyFacts, StackFacts } from "./facts.ts";

/** Where programs are started: the checkout, and their environment. */
interface Place {
  checkout: string;
  env: Record<string, string | undefined>;
}

/** Milliseconds that a connection may take. */
const patience = 5000;

/**
 * Finds out what a run of Pulumi would meet on this machine. Changes nothing; logs in to no host.
 *
 * @param checkout Where Pulumi.yaml and the stack files are.
 * @param name The stack that is to be looked at, too.
 */
export const collected = async (checkout: string, name?: string, env: Place["env"] = process.env): Promise<Facts> => {
  const place = { checkout, env };
  const file = name && join(checkout, `Pulumi.${name}.yaml`);
  const { deployment, problems } = file ? read(file) : { problems: [] };
  const backend = await backendOf(place);
  const wanted = readJson<{ packages: Record<string, { version: string }> }>(join(checkout, "package-lock.json"));
  const installed = join(checkout, "node_modules/@pulumi/pulumi/package.json");
  const plugin = wanted?.packages["node_modules/@pulumi/command"]?.version ?? "";
  return {
    node: process.versions.node,
    sdk: {
      wanted: wanted?.packages["node_modules/@pulumi/pulumi"]?.version ?? "",
      installed: readJson<{ version: string }>(installed)?.version ?? "",
    },
    pulumi: /\d+\.\d+\.\d+/.exec((await called("pulumi", ["version"], place)).stdout)?.[0] ?? "",
    plugins: { command: { wanted: plugin, installed: await pluginsOf("command", place) } },
    ssh: (await called("ssh", ["-V"], place)).stderr,
    temporary: await writable(tmpdir()),
    clock: { synchronized: await synchronized(place), now: Date.now() },
    programWritten: (await stat(join(checkout, "package.json"))).mtimeMs,
    backend,
    agent: await agentOf((deployment && agentSocketOf(deployment)) ?? env.SSH_AUTH_SOCK ?? "", place),
    proxy: await proxyOf(env.HTTPS_PROXY ?? env.https_proxy ?? ""),
    stack:
      name && file
        ? {
            ...(await stackOf(name, file, backend, place)),
            problems,
            hosts: await Promise.all(deployment ? hostsOf(deployment).map(hostOf) : []),
          }
        : undefined,
  };
};

const called = async (program: string, argv: string[], place: Place) => {
  const { exitCode, stdout, stderr } = await execa(program, argv, {
    ...{
      env: place.env,
      cwd: place.checkout,
      extendEnv: false,
      reject: false,
      timeout: 30_000,
      maxBuffer: 4 * 1024 ** 2,
      input: "",
    },
  });
  return { exitCode: exitCode ?? 127, stdout: String(stdout ?? ""), stderr: String(stderr ?? "") };
};

const readJson = <Content>(file: string): Content | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Content) : undefined;

/** What a stack file says, or its problems. */
const read = (file: string): { deployment?: Deployment; problems: string[] } => {
  if (!existsSync(file)) return { problems: [] };
  try {
    return { deployment: offlineDeployment(file), problems: [] };
  } catch (error) {
    const [first = "", ...lines] = (error as Error).message.split("\n");
    return { problems: lines.length ? lines : [first] };
  }
};

const pluginsOf = async (name: string, place: Place): Promise<string[]> => {
  const { exitCode, stdout } = await called("pulumi", ["plugin", "ls", "--json"], place);
  if (exitCode) return [];
  const all = JSON.parse(stdout) as { name: string; version: string }[];
  return all.filter((each) => each.name === name).map(({ version }) => version.split("+")[0] ?? "");
};

const writable = async (directory: string): Promise<string> => {
  try {
    await rm(await mkdtemp(join(directory, "jtel-chat-")), { recursive: true });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

const synchronized = async (place: Place): Promise<boolean | undefined> => {
  const { stdout } = await called("timedatectl", ["show", "--property=NTPSynchronized", "--value"], place);
  return { yes: true, no: false }[stdout.trim()];
};

const backendOf = async (place: Place): Promise<Backend> => {
  const { exitCode, stdout, stderr } = await called(
    "pulumi",
    ["whoami", "--json", "--verbose", "--non-interactive"],
    place,
  );
  if (!exitCode) return { url: (JSON.parse(stdout) as { url: string }).url, problem: "" };
  if (/must be set for login|not logged in/.test(stderr)) return { url: "", problem: "" };
  return { url: place.env.PULUMI_BACKEND_URL ?? "", problem: printable(stderr.trim()) || "pulumi whoami failed" };
};

const agentOf = async (socket: string, place: Place): Promise<Agent> => {
  if (!socket) return { socket, answers: false, keys: [] };
  const { exitCode, stdout } = await called("ssh-add", ["-l"], {
    ...place,
    env: { ...place.env, SSH_AUTH_SOCK: socket },
  });
  return { socket, answers: exitCode < 2, keys: exitCode ? [] : stdout.trim().split("\n") };
};

const proxyOf = async (url: string): Promise<ProxyFacts> => {
  const parsed = URL.parse(url);
  if (!parsed) return { url, problem: "" };
  const port = Number(parsed.port) || (parsed.protocol === "https:" ? 443 : 80);
  const outcome = await route(parsed.hostname, port);
  return { url, problem: outcome === "ok" ? "" : outcome };
};

/** Tries a TCP connection: `ok`, `timeout`, or the error's code. */
const route = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(patience, () => end("timeout"));
    socket.on("connect", () => end("ok"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });

const stackOf = async (
  name: string,
  file: string,
  backend: Backend,
  place: Place,
): Promise<Omit<StackFacts, "problems" | "hosts">> => {
  const there = existsSync(file);
  const text = there ? readFileSync(file, "utf8") : "";
  const known = there && (await knows(name, backend, place));
  return {
    name,
    file: there,
    known,
    lock: await lockOf(name, backend),
    provider: /^secretsprovider: *(\S+)/m.exec(text)?.[1] ?? "passphrase",
    passphrase: await passphraseOf(place, there && isStack(file)),
    decryption: known && backend.url && !backend.problem ? await decryption(name, text, place) : "",
  };
};

const knows = async (name: string, backend: Backend, place: Place): Promise<boolean> => {
  if (!backend.url || backend.problem) return true; // which is said of the backend
  const { exitCode, stdout } = await called("pulumi", ["stack", "ls", "--json", "--non-interactive"], place);
  return !exitCode && (JSON.parse(stdout) as { name: string }[]).some((each) => each.name.split("/").at(-1) === name);
};

/** Reads the lock that a backend of files has; others tell it to nobody. */
const lockOf = async (name: string, { url }: Backend): Promise<Lock | undefined> => {
  if (!url.startsWith("file://")) return undefined;
  const place = url.slice("file://".length).replace(/^~(?=\/|$)/, homedir());
  const folder = join(place, ".pulumi/locks/organization/jtel-chat", name);
  const [file] = existsSync(folder) ? (await readdir(folder)).filter((each) => each.endsWith(".json")) : [];
  const lock =
    file && readJson<{ pid: number; username: string; hostname: string; timestamp: string }>(join(folder, file));
  if (!lock) return undefined;
  const here = lock.hostname === hostname();
  const who = printable(`${lock.username} on ${lock.hostname} (process ${lock.pid})`);
  return { who, since: printable(lock.timestamp), runs: here ? existsSync(`/proc/${lock.pid}`) : undefined };
};

const passphraseOf = async (place: Place, needed: boolean): Promise<Passphrase> => {
  const file = place.env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
  const set = place.env.PULUMI_CONFIG_PASSPHRASE !== undefined || !needed;
  const found = file ? await stat(file).catch(() => undefined) : undefined;
  const readable = found ? await isReadable(file) : false;
  return { set, file, readable, open: Boolean(found && found.mode & 0o004) };
};

const isReadable = async (file: string): Promise<boolean> => {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
};

/** Why the first secret of a stack cannot be decrypted; what it says is thrown away. */
const decryption = async (name: string, text: string, place: Place): Promise<string> => {
  const last = secretKeys.filter((key) => new RegExp(`^ +${key.split(".")[1]}:\\s+(?:\\{ *)?secure:`, "m").test(text));
  const [key] = last;
  const passphrase = place.env.PULUMI_CONFIG_PASSPHRASE !== undefined || place.env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (!key || (!/^secretsprovider:/m.test(text) && !passphrase)) return "";
  const argv = ["config", "get", "--path", `jtel-chat:${key}`, "--stack", name, "--non-interactive"];
  const { exitCode, stderr } = await called("pulumi", argv, place);
  return exitCode ? printable(stderr.trim()) : "";
};

const hostOf = async ({ name, address, port, hostKey, jump }: HostConfig): Promise<HostFacts> => {
  const first = jump ?? { address, port, hostKey };
  const outcome = await route(first.address, first.port);
  const keys = outcome === "ok" ? await offeredKeys(first) : [];
  return {
    ...{ name, address: first.address, port: first.port, jump: jump?.address, route: outcome },
    key: keys.length ? keys.includes(first.hostKey) : undefined,
  };
};
