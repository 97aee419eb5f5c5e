import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { until } from "../lab/deadline.ts";

/** An ssh agent of somebody with a key of his own. */
export interface Agent {
  /** Where his key lies: `key`, `key.pub`. */
  directory: string;
  /** For `SSH_AUTH_SOCK`. */
  socket: string;
  /** `ssh-ed25519 AAAA…` */
  publicKey: string;
  /** Hands the key to the agent, and the certificate that lies beside it by then. */
  load: () => Promise<void>;
}

/** Runs `work` while the agent runs. */
export const withAgent = async (work: (agent: Agent) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-agent-"));
  const socket = join(directory, "agent");
  const agent = execa("ssh-agent", ["-D", "-a", socket], { reject: false });
  try {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
    const publicKey = (await readFile(join(directory, "key.pub"), "utf8")).trim();
    const load = async () => {
      await until("the agent", 10, () =>
        execa("ssh-add", ["-q", join(directory, "key")], { env: { SSH_AUTH_SOCK: socket } }),
      );
    };
    await work({ directory, socket, publicKey, load });
  } finally {
    agent.kill();
    await agent;
    await rm(directory, { recursive: true });
  }
};
