import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../deadline.ts";

/** Mount points of the hierarchies that systemd keeps its units in: cgroup v2, and on a hybrid machine its own v1 tree too. */
const hierarchies = async (): Promise<string[]> => {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  return mounts
    .filter(([, , type, options]) => type === "cgroup2" || (type === "cgroup" && options?.includes("name=systemd")))
    .map(([, mountPoint]) => mountPoint as string);
};

/**
 * Makes control groups for a host. The controller has no service manager that does; without them, all hosts would share the
 * root group and end each other's processes.
 *
 * @returns the files into which a process writes its id to enter the groups
 */
export const ensureControlGroups = async (name: string): Promise<string[]> => {
  const groups = (await hierarchies()).map((hierarchy) => join(hierarchy, name));
  for (const group of groups) await mkdir(group, { recursive: true });
  return groups.map((group) => join(group, "cgroup.procs"));
};

/** Removes the control groups of a host that has ended. */
export const removeControlGroups = async (name: string): Promise<void> => {
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, name);
    // A group stays busy for a moment after its last process has ended.
    if (existsSync(group)) await until(`removal of ${group}`, 10, () => removeTree(group));
  }
};

const removeTree = async (group: string): Promise<true> => {
  const entries = await readdir(group, { withFileTypes: true });
  for (const entry of entries.filter((each) => each.isDirectory())) await removeTree(join(group, entry.name));
  await rmdir(group);
  return true;
};
