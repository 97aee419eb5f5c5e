import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "./cache-root.ts";

/** Runs `work` while this process alone on the machine holds the lock `name`; the kernel frees it when the process dies. */
export const withLock = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const locks = join(cacheRoot, "locks");
  await mkdir(locks, { recursive: true });
  const holder = spawn("flock", [join(locks, name), "sh", "-c", "echo held && cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(holder, "exit");
  const held = await Promise.race([once(holder.stdout, "data"), ended.then(() => undefined)]);
  if (!held) throw new Error(`lab: the lock ${join(locks, name)} could not be taken`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
};
