import { readdirSync, readFileSync } from "node:fs";
import { execa } from "execa";

const processes = (): string[] =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));

const mentions = (pid: string, file: string, id: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(id);
  } catch {
    return false; // ended meanwhile
  }
};

/** Ids of the processes on the controller that carry the lab: agent, caches, stand-ins, one nspawn for each host. */
export const daemons = (id: string): string[] => processes().filter((pid) => mentions(pid, "cmdline", id));

const listing = `ip -o link; ip netns; cat /proc/self/mounts
  find /sys/fs/cgroup -maxdepth 2; ls -d /run/systemd/nspawn/*/*`;

/** All on this machine that belongs to the lab: processes, its own and the hosts', mounts, interfaces, namespaces, control groups. */
export const traces = async (id: string): Promise<string[]> => {
  const { stdout } = await execa("sh", ["-c", listing], { reject: false });
  const inHosts = processes().filter((pid) => mentions(pid, "cgroup", id));
  return [...stdout.split("\n").filter((line) => line.includes(id)), ...daemons(id), ...inHosts];
};
