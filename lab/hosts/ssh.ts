import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { until } from "../deadline.ts";
import { runningProcess, startProcess } from "../processes.ts";

/** The user that logs in: a normal one, with passwordless sudo. */
export const loginUser = "deploy";

export interface KeyPair {
  privateKey: string;
  /** As in authorized_keys and in a stack file: `ssh-ed25519 AAAA…`. */
  publicKey: string;
}

/** The ed25519 key pair `name` of the lab; made when it is not there yet. */
export const ensureKeyPair = async (directory: string, name: string): Promise<KeyPair> => {
  const file = join(directory, "keys", name);
  await mkdir(join(directory, "keys"), { recursive: true });
  if (!existsSync(file)) await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  const publicKey = (await readFile(`${file}.pub`, "utf8")).trim();
  return { privateKey: await readFile(file, "utf8"), publicKey };
};

export const agentSocket = (directory: string): string => join(directory, "agent.sock");

/** An ssh agent of the lab's own, with the one key that its hosts accept. */
export const ensureAgent = async (directory: string): Promise<void> => {
  const record = join(directory, "processes/ssh-agent");
  const socket = agentSocket(directory);
  await ensureKeyPair(directory, loginUser);
  if (!(await runningProcess(record))) {
    await rm(socket, { force: true });
    await startProcess(record, join(directory, "ssh-agent.log"), "ssh-agent", ["-D", "-a", socket]);
  }
  // Its socket is there a moment before it listens.
  await until("ssh-agent takes the key", 10, async () => {
    await execa("ssh-add", ["-q", join(directory, "keys", loginUser)], { env: { SSH_AUTH_SOCK: socket } });
    return true;
  });
};
