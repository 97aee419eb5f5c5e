import { readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../deadline.ts";
import { runningProcess, startProcess, stopProcess } from "../processes.ts";
import { runDirectory } from "../record.ts";
import { ensureControlGroups, removeControlGroups } from "./cgroup.ts";

/** A name that no other lab on this machine uses: of the nspawn machine, its network namespace and its control groups. */
export const machineName = (id: string, host: string): string => `${id}-${host}`;

const processRecord = (id: string, host: string): string => join(runDirectory(id), "processes", host);

/** Process id, on the controller, of the host's own process 1; undefined when it is off. */
export const leaderOf = async (id: string, host: string): Promise<number | undefined> => {
  const nspawn = await runningProcess(processRecord(id, host));
  if (!nspawn) return undefined;
  const children = await readFile(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, "utf8").catch(() => "");
  return Number(children.trim().split(" ").at(-1)) || undefined;
};

/** Boots the file system at `root` in its network namespace. Needs no systemd on the controller. */
export const startMachine = async (id: string, host: string, root: string, options: string[]): Promise<void> => {
  const machine = machineName(id, host);
  const groups = await ensureControlGroups(machine);
  const nspawn = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=read-only"];
  const place = [`--directory=${root}`, `--machine=${machine}`, `--hostname=${host}`];
  const network = [`--network-namespace-path=/run/netns/${machine}`, "--resolv-conf=off"];
  // Without the capability ufw cannot start: nspawn grants it only with network namespaces that it makes itself.
  const rights = ["--capability=CAP_NET_ADMIN"];
  const isolation = ["--timezone=off", "--link-journal=no"];
  const enter = 'for group in $0; do echo $$ > "$group"; done; exec "$@"';
  const command = ["-c", enter, groups.join(" "), ...nspawn, ...place, ...network, ...rights, ...isolation, ...options];
  await startProcess(processRecord(id, host), join(runDirectory(id), `${host}.log`), "sh", command);
};

/** Ends a host at once. Its network namespace stays. */
export const endMachine = async (id: string, host: string): Promise<void> => {
  const machine = machineName(id, host);
  const leader = await leaderOf(id, host);
  if (leader) {
    process.kill(leader, "SIGKILL");
    await until(`${host}: end`, 20, async () => ((await runningProcess(processRecord(id, host))) ? undefined : true));
  }
  await stopProcess(processRecord(id, host));
  await removeControlGroups(machine);
  // nspawn does not clean up after a host that was killed.
  await rmdir(`/run/systemd/nspawn/propagate/${machine}`).catch(() => {});
};
