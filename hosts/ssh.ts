import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How to reach a host: just what the stack file says, so that looking never succeeds where applying cannot. */
export interface SshTarget {
  address: string;
  port: number;
  user: string;
  /** Pinned public key in authorized_keys format: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  jump?: { address: string; port: number; user: string; hostKey: string } | undefined;
}

/** What a finished ssh said. */
export interface SshResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const connectTimeout = 10;

/** Run one command over the system's ssh, with the agent and the pinned host key and nothing of the user's own configuration. */
export const ssh = async (target: SshTarget, command: string, stdin: string): Promise<SshResult> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-"));
  try {
    const knownHosts = join(directory, "known_hosts");
    const known = [`target ${target.hostKey}`, ...(target.jump ? [`jump ${target.jump.hostKey}`] : [])];
    await writeFile(knownHosts, `${known.join("\n")}\n`);
    return await run("ssh", [...sshArguments(target, knownHosts), command], stdin);
  } finally {
    await rm(directory, { recursive: true });
  }
};

/** Arguments of ssh(1) for a target; `knownHosts` holds its key as `target`, the jump host's as `jump`. */
export const sshArguments = (target: SshTarget, knownHosts: string): string[] => {
  const jump = target.jump && [
    "-o",
    `ProxyCommand=ssh ${options(target.jump, "jump", knownHosts).join(" ")} -W [%h]:%p ${target.jump.address}`,
  ];
  return [...options(target, "target", knownHosts), ...(jump ?? []), target.address];
};

const options = ({ port, user, hostKey }: Omit<SshTarget, "address">, alias: string, knownHosts: string): string[] => [
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
    "ServerAliveInterval=15",
    "Compression=yes", // the host tool's text goes along with every question
  ].flatMap((option) => ["-o", option]),
];

/** Only the pinned key's type is negotiated: a host has several keys, and another one would look like a wrong host. */
const algorithms = (hostKey: string): string => {
  const [type = ""] = hostKey.split(" ");
  return type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
};

const run = (program: string, argv: string[], stdin: string): Promise<SshResult> =>
  new Promise((resolve) => {
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.stdin.on("error", () => {}); // a refused connection closes it; the exit code tells
    child.on("error", (error) => resolve({ exitCode: 127, stdout, stderr: error.message }));
    child.on("close", (code) => resolve({ exitCode: code ?? 255, stdout, stderr }));
    child.stdin.end(stdin);
  });
