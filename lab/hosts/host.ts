import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { until } from "../deadline.ts";
import { type LabRecord, runDirectory } from "../record.ts";
import { aptCacheUrl } from "../services/apt-cache.ts";
import { shareDirectory, shareSource } from "../services/share.ts";
import { imageLayers } from "./image.ts";
import { addressOf, planOf } from "./inventory.ts";
import { endMachine, leaderOf, machineName, startMachine } from "./machine.ts";
import { answers, ensureNamespace } from "./network.ts";
import { ensureOverlay, overlayRoot, removeOverlay } from "./overlay.ts";
import { provision } from "./provision.ts";
import type { Release } from "./release.ts";
import { ensureKeyPair } from "./ssh.ts";

export interface ExecOptions {
  /** Standard input of the script. */
  input?: string;
  /** @default "root" */
  user?: string;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** A booted Debian host of the lab. */
export interface LabHost {
  name: string;
  address: string;
  /** Its public host key, `ssh-ed25519 AAAA…`. The same after {@link rebuild}. */
  hostKey: string;
  /** Its root file system as the controller sees it, without what is mounted inside (`/run`, the share). */
  root: string;
  /** Runs a shell script inside, past ssh and firewall. Never throws for what the script does; the script does not show in `ps`. */
  exec(script: string, options?: ExecOptions): Promise<ExecResult>;
  /** Boots it when it is off; resolves when it has booted and sshd answers. */
  start(): Promise<void>;
  /** Pulls the plug: every process ends at once, without a word. (What they wrote is not lost: the page cache is the controller's.) */
  kill(): Promise<void>;
  /** A new installation with the same address and host key, booted. @param release of Debian @default the lab's */
  rebuild(release?: Release): Promise<void>;
}

export const labHost = async (record: LabRecord, name: string, progress: (line: string) => void): Promise<LabHost> => {
  const directory = hostDirectory(record, name);
  const address = addressOf(record.subnet, name);
  const { publicKey } = await ensureKeyPair(runDirectory(record.id), name);
  const exec = (script: string, options: ExecOptions = {}): Promise<ExecResult> =>
    execInside(record, name, script, options);
  const start = () => startHost(record, name, record.release, progress);
  const kill = () => endMachine(record.id, name);
  const rebuild = async (release = record.release): Promise<void> => {
    await kill();
    await removeOverlay(directory);
    await startHost(record, name, release, progress);
  };
  return { name, address, hostKey: publicKey, root: overlayRoot(directory), exec, start, kill, rebuild };
};

/** Switches a host off and removes its files. */
export const removeHost = async (record: LabRecord, name: string): Promise<void> => {
  await endMachine(record.id, name);
  await removeOverlay(hostDirectory(record, name));
};

const hostDirectory = ({ id }: LabRecord, name: string): string => join(runDirectory(id), "hosts", name);

const startHost = async (
  record: LabRecord,
  name: string,
  release: Release,
  progress: (line: string) => void,
): Promise<void> => {
  if (await leaderOf(record.id, name)) return;
  progress(`${name}: booting`);
  const { id, subnet } = record;
  const { layer: planned, share } = planOf(name);
  const layer = record.java && planned === "base" ? "java" : planned;
  const directory = hostDirectory(record, name);
  const layers = () => imageLayers(layer, release, aptCacheUrl(`${subnet}.1`), progress);
  await ensureOverlay(directory, layers, (root) => provision(record, name, root));
  await ensureNamespace(machineName(id, name), id, addressOf(subnet, name));
  const bind = share ? [`--bind=${shareDirectory(id)}:${shareSource}`] : [];
  await startMachine(id, name, overlayRoot(directory), bind);
  await explained(record, name, () => booted(record, name));
};

/** Waits until a host's services answer. */
export const waitForPorts = async (record: LabRecord, name: string): Promise<void> =>
  explained(record, name, async () => {
    for (const port of planOf(name).ports)
      await until(`${name}: an answer on port ${port}`, 60, () => answers(addressOf(record.subnet, name), port));
  });

/** Waits for sshd and for the end of the boot: sshd listens before logins are allowed. */
const booted = async (record: LabRecord, name: string): Promise<void> => {
  await until(`${name}: sshd`, 60, async () => {
    if (!(await leaderOf(record.id, name))) throw new Error("the host has ended");
    return answers(addressOf(record.subnet, name), 22);
  });
  await until(`${name}: end of the boot`, 60, async () => {
    const { stdout } = await execInside(record, name, "timeout 20 systemctl is-system-running --wait", {});
    return /^(running|degraded)/.test(stdout) || undefined;
  });
};

/** An error about a host ends with the last lines of its journal, or of its console when it is off. */
const explained = async (record: LabRecord, name: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const journal = await execInside(record, name, "journalctl --no-pager --lines=40", {});
    const log = journal.exitCode === 0 ? journal.stdout : await consoleTail(record, name);
    throw new Error(`${error instanceof Error ? error.message : error}\n${log}`);
  }
};

const consoleTail = async ({ id }: LabRecord, name: string): Promise<string> =>
  (await readFile(join(runDirectory(id), `${name}.log`), "utf8")).split("\n").slice(-40).join("\n");

const execInside = async (
  record: LabRecord,
  name: string,
  script: string,
  options: ExecOptions,
): Promise<ExecResult> => {
  const leader = await leaderOf(record.id, name);
  if (!leader) return { stdout: "", stderr: `${name} is off`, exitCode: 255 };
  const { input = "", user = "root" } = options;
  // The script comes first on standard input, by its length; what follows is the script's own input.
  const shell = ["sh", "-c", 'eval "$(head -c "$0")"', String(Buffer.byteLength(script))];
  const command = user === "root" ? shell : ["runuser", "-u", user, "--", ...shell];
  const { stdout, stderr, exitCode } = await execa("nsenter", ["--target", String(leader), "--all", "--", ...command], {
    input: script + input,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" },
    extendEnv: false,
    reject: false,
  });
  return { stdout, stderr, exitCode: exitCode ?? 255 };
};
