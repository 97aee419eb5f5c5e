import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";

/** An OpenSSH server of its own on 127.0.0.1. */
export interface SshServer {
  port: number;
  /** The account that the key of {@link SshAgent} opens. */
  user: string;
  /** As `connection.hostKey` wants it: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  stop(): Promise<void>;
}

/** An ssh agent that holds one fresh key. */
export interface SshAgent {
  socket: string;
  publicKey: string;
  /** The same key as text, for a connection without an agent. */
  privateKey: string;
  stop(): Promise<void>;
}

const deadline = 10_000;
const root = process.getuid?.() === 0;

/** Starts a server in `directory`; its commands see `SERVER=name` and what {@link SshAgent} opens. */
export async function startSshServer(directory: string, name: string, agent: SshAgent): Promise<SshServer> {
  const file = (suffix: string) => join(directory, `${name}.${suffix}`);
  await makeKey(file("key"));
  if (root) await mkdir("/run/sshd", { recursive: true, mode: 0o755 }); // else made when the service starts, which it never did
  await writeFile(file("authorized"), `${agent.publicKey}\n`);
  const port = await freePort();
  await writeFile(
    file("conf"),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${file("key")}`,
      `AuthorizedKeysFile ${file("authorized")}`,
      "PidFile none",
      "StrictModes no",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      "UsePAM no",
      "AcceptEnv GREETING PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR",
      `SetEnv SERVER=${name}`,
      "",
    ].join("\n"),
  );
  const server = execa("/usr/sbin/sshd", ["-D", "-e", "-f", file("conf")], { buffer: false, reject: false });
  await said(server.stderr, "Server listening on 127.0.0.1");
  return {
    port,
    user: userInfo().username,
    hostKey: (await readFile(file("key.pub"), "utf8")).trim(),
    async stop() {
      server.kill();
      await server;
    },
  };
}

/** Starts an agent in `directory`. */
export async function startSshAgent(directory: string): Promise<SshAgent> {
  const key = join(directory, "login.key");
  const socket = join(directory, "agent");
  await makeKey(key);
  const agent = execa("ssh-agent", ["-D", "-a", socket], { buffer: false, reject: false });
  await said(agent.stdout, socket);
  await execa("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: socket } });
  return {
    socket,
    publicKey: (await readFile(`${key}.pub`, "utf8")).trim(),
    privateKey: await readFile(key, "utf8"),
    async stop() {
      agent.kill();
      await agent;
    },
  };
}

/** Why no server can be started here, or undefined. A missing sshd is installed where nothing would start it as a service. */
export async function whyNoSshServer(): Promise<string | undefined> {
  if (existsSync("/usr/sbin/sshd")) return undefined;
  if (!root || existsSync("/run/systemd/system")) return "needs sshd (Debian: apt install openssh-server)";
  const apt = { env: { DEBIAN_FRONTEND: "noninteractive" } };
  await execa("apt-get", ["update"], apt);
  await execa("apt-get", ["install", "-y", "--no-install-recommends", "openssh-server"], apt);
  return undefined;
}

/** A key that opens nothing: another host's, or an intruder's. */
export async function strangersKey(directory: string): Promise<string> {
  const key = join(directory, "stranger.key");
  await makeKey(key);
  return (await readFile(`${key}.pub`, "utf8")).trim();
}

/** A port of 127.0.0.1 where nobody listens. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("Expected a port, got none");
  return address.port;
}

const makeKey = (path: string) => execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);

/** Waits until a starting process says `text`; the rest of what it says is dropped. */
function said(stream: Readable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const fail = () => reject(new Error(`Expected ${JSON.stringify(text)}, got ${JSON.stringify(heard)}`));
    const timer = setTimeout(fail, deadline);
    stream.on("end", fail);
    stream.on("data", (data) => {
      heard += data;
      if (!heard.includes(text)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}
