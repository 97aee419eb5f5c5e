import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../../lab/deadline.ts";
import type { LabHost } from "../../lab/lab.ts";

/** What reached one host over ssh. Nothing of it depends on the machine's speed. */
export interface Counts {
  /** TCP connections to sshd, refused logins included. */
  connections: number;
  /** What was run as root, as sudo's log has it. */
  commands: string[];
  /** Names of all processes that sshd's children started, in the order in which they ended. */
  processes: string[];
  /** Bytes that came to port 22, TCP and IP headers included. */
  bytes: number;
}

/** Counts on each host what happens during `work`, by the host's name. */
export const counted = async (hosts: LabHost[], work: () => Promise<void>): Promise<Record<string, Counts>> => {
  await Promise.all(hosts.map((host) => begin(host)));
  await work();
  const counts = await Promise.all(hosts.map(async (host) => [host.name, await read(host)] as const));
  return Object.fromEntries(counts);
};

const accounting = "var/tmp/counts-accounting";

/**
 * Begins to count, with counters that belong to the host alone: the packet filter of its network namespace, the process
 * accounting of its process namespace, its journal. ufw does not touch the raw table.
 */
const begin = async (host: LabHost): Promise<void> => {
  const rules = ["--syn", ""].map((which) => `PREROUTING --protocol tcp --dport 22 ${which}`);
  const { exitCode, stderr } = await host.exec(`set -eu
    for chain in ${rules.map((rule) => `'${rule}'`).join(" ")}; do
      iptables --table raw --check $chain 2>/dev/null || iptables --table raw --append $chain
    done
    iptables --table raw --zero
    : >/${accounting}
    python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).acct(b"/${accounting}"))'
    ${newCommands} >/dev/null || true`);
  if (exitCode) throw new Error(`${host.name}: nothing can be counted: ${stderr}`);
};

/** Prints what sudo has logged since the last time; exit code 1 when that is nothing. */
const newCommands =
  "journalctl --sync; journalctl --quiet --identifier=sudo --output=cat --cursor-file=/var/tmp/counts-cursor";

const read = async (host: LabHost): Promise<Counts> => {
  const listener = await sessionsEnded(host);
  const processes = descendants(listener, ended(await readFile(join(host.root, accounting))));
  const filter = await host.exec("iptables --table raw --list PREROUTING --verbose --exact --numeric | grep dpt:22");
  // Packets and bytes come first in each line; the line of the new connections is the first.
  const [opened, all] = filter.stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const { stdout: log } = await host.exec(newCommands);
  const commands = [...log.matchAll(/COMMAND=(.*)/g)].map(([, command]) => command as string);
  return { connections: opened?.[0] as number, commands, processes, bytes: all?.[1] as number };
};

/**
 * Waits until the processes of all sessions have ended, a moment after their connections.
 *
 * @returns sshd's process id, on the host
 */
const sessionsEnded = (host: LabHost): Promise<number> =>
  until(`${host.name}: end of all ssh sessions`, 20, async () => {
    const { stdout } = await host.exec(
      'listener=$(systemctl show --property=MainPID --value ssh); pgrep --parent "$listener" >&2 || echo "$listener"',
    );
    return Number(stdout) || undefined;
  });

interface EndedProcess {
  pid: number;
  parent: number;
  name: string;
}

/** The records of acct(5), version 3: 64 bytes for each process that has ended; threads have none. */
const ended = (records: Buffer): EndedProcess[] =>
  Array.from({ length: records.length / 64 }, (_, index) => {
    const record = records.subarray(index * 64, (index + 1) * 64);
    const name = record.toString("latin1", 48).replace(/\0.*/s, "");
    return { pid: record.readUInt32LE(16), parent: record.readUInt32LE(20), name };
  });

/** Picks the processes below `ancestor`: not what the host does for itself meanwhile, e.g. by timers. */
const descendants = (ancestor: number, processes: EndedProcess[]): string[] => {
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const descends = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === ancestor || descends(parents.get(pid)));
  return processes.filter(({ parent }) => descends(parent)).map(({ name }) => name);
};
