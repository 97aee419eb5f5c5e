import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** How to reach a host: just what the stack file says, so that looking never succeeds where applying cannot. */
export interface SshTarget {
  address: string;
  port: number;
  user: string;
  /** Pinned public key in authorized_keys format: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  /** Socket of the agent with its key. @default SSH_AUTH_SOCK */
  agentSocket?: string | undefined;
  jump?: { address: string; port: number; user: string; hostKey: string } | undefined;
}

/** What a finished ssh said. */
export interface SshResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Why it was ended from here, where it was: `sent more than 16 MiB`. */
  ended?: string | undefined;
}

/** How much a host may send, in bytes, and how long one call may take, in milliseconds. */
export interface SshLimits {
  stdout: number;
  stderr: number;
  time: number;
}

/** An answer has some kilobytes. A look ends itself after three minutes (bounded.py), and then says so: this is for hosts that do not. */
const usualLimits: SshLimits = { stdout: 16 * 1024 ** 2, stderr: 64 * 1024, time: 5 * 60_000 };

const connectTimeout = 10;

/** What a command gets on its standard input. */
export interface SshInput {
  /** Sent as soon as it is known: the login goes on meanwhile. */
  text: string | Promise<string>;
  /** Sent, as the end, only where the command says `asked` on its standard output. */
  more?: { asked: string; text: string };
}

/** Run one command over the system's ssh, with the agent and the pinned host key and nothing of the user's own configuration. */
export const ssh = async (
  target: SshTarget,
  command: string,
  stdin: SshInput["text"] | SshInput,
  limits: SshLimits = usualLimits,
): Promise<SshResult> => {
  const knownHosts = join(folder(), `known_hosts.${calls++}`);
  const known = [`target ${target.hostKey}`, ...(target.jump ? [`jump ${target.jump.hostKey}`] : [])];
  // At once, so that ssh has started when this returns: who logs in early loads a library next, and nothing else runs meanwhile.
  writeFileSync(knownHosts, `${known.join("\n")}\n`);
  const input = typeof stdin === "object" && "text" in stdin ? stdin : { text: stdin };
  return run("ssh", [...sshArguments(target, knownHosts), command], input, limits);
};

let calls = 0;
let own: string | undefined;

/** A folder of this process, which goes with it, however early it ends. */
const folder = (): string => {
  if (own) return own;
  const made = mkdtempSync(join(tmpdir(), "jtel-chat-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  own = made;
  return made;
};

/** Arguments of ssh(1) for a target; `knownHosts` holds its key as `target`, the jump host's as `jump`. */
export const sshArguments = (target: SshTarget, knownHosts: string): string[] => {
  const jump = target.jump && [
    "-o",
    `ProxyCommand=ssh ${options({ ...target.jump, agentSocket: target.agentSocket }, "jump", knownHosts).join(" ")} -W [%h]:%p ${target.jump.address}`,
  ];
  return [...options(target, "target", knownHosts), ...(jump ?? []), target.address];
};

const options = (
  { port, user, hostKey, agentSocket }: Omit<SshTarget, "address">,
  alias: string,
  knownHosts: string,
): string[] => [
  ...["-F", "none", "-T", "-p", String(port), "-l", user],
  ...[
    "BatchMode=yes",
    `ConnectTimeout=${connectTimeout}`,
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
    `HostKeyAlias=${alias}`,
    `HostKeyAlgorithms=${algorithms(hostKey)}`,
    "IdentityFile=none",
    ...(agentSocket ? [`IdentityAgent=${agentSocket}`] : []),
    "ServerAliveInterval=15",
    "Compression=yes", // documents, and the host tool's text where a host lacks it
  ].flatMap((option) => ["-o", option]),
];

/** Only the pinned key's type is negotiated: a host has several keys, and another one would look like a wrong host. */
const algorithms = (hostKey: string): string => {
  const [type = ""] = hostKey.split(" ");
  return type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
};

/** What ssh and a jump's ProxyCommand need, and no more: PULUMI_CONFIG holds the stack's secrets. */
const passed = /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|LANG|LC_\w+|SSH_AUTH_SOCK|KRB5\w*)$/;

const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name)));

const run = (program: string, argv: string[], input: SshInput, limits: SshLimits): Promise<SshResult> =>
  new Promise((resolve) => {
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "pipe"], env: environment() });
    let ended: string | undefined;
    /** Its own children (a jump's ssh) may hold the pipes open: ours are closed, so that its end is seen. */
    const end = (why: string): void => {
      ended ??= why;
      child.kill("SIGKILL");
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    const deadline = setTimeout(() => end(`gave no answer within ${limits.time / 1000} s`), limits.time);
    const stdout = collected(child.stdout, limits.stdout, end);
    const stderr = collected(child.stderr, limits.stderr, end);
    const finish = (exitCode: number, error?: string): void => {
      clearTimeout(deadline);
      resolve({ exitCode, stdout: stdout(), stderr: error ?? stderr(), ended });
    };
    child.stdin.on("error", () => {}); // a refused connection closes it; the exit code tells
    child.on("error", (error) => finish(127, error.message));
    child.on("close", (code) => finish(code ?? 255));
    // What ends before it has anything to say must not wait for this.
    const waiting = [child, child.stdin, child.stdout, child.stderr, deadline] as Waiting[];
    for (const each of waiting) each.unref();
    const { more } = input;
    const asked = more && saysOnce(child.stdout, more.asked).then(() => more.text);
    const send = async (): Promise<void> => {
      const text = await input.text;
      for (const each of waiting) each.ref();
      child.stdin.write(text);
      child.stdin.end(await asked);
    };
    send().catch((error: Error) => end(error.message));
  });

/** What keeps a process from its end unless it is told not to. */
type Waiting = Pick<NodeJS.Timeout, "ref" | "unref">;

/** Resolves once a stream has brought a text, however that is cut; never where it does not. */
const saysOnce = (stream: Readable, text: string): Promise<void> =>
  new Promise((resolve) => {
    let tail = "";
    const watch = (chunk: Buffer): void => {
      tail += chunk.toString("latin1");
      if (tail.includes(text)) {
        stream.off("data", watch);
        resolve();
      }
      tail = tail.slice(-text.length);
    };
    stream.on("data", watch);
  });

/** Collects what a stream brings; calls `end` once it is more than `limit` bytes. */
const collected = (stream: Readable, limit: number, end: (why: string) => void): (() => string) => {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) return end(`sent more than ${limit / 1024} KiB`);
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
};
