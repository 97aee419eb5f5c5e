import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { until } from "./deadline.ts";

/** A process that may outlive us. The start time tells it from a later one with the same id. */
export interface RecordedProcess {
  pid: number;
  /** Clock ticks since boot. */
  started: string;
}

/** State and start time from `/proc/<pid>/stat`; undefined when there is no such process. */
const status = async (pid: number): Promise<{ state: string; started: string } | undefined> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field, the name in brackets, may hold blanks and brackets itself.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields && { state: fields[0] as string, started: fields[19] as string };
};

/** What must be kept to find the process `pid` again. */
export const recordProcess = async (pid: number): Promise<RecordedProcess> => {
  const found = await status(pid);
  if (!found) throw new Error(`lab: process ${pid} ended at once`);
  return { pid, started: found.started };
};

export const isAlive = async ({ pid, started }: RecordedProcess): Promise<boolean> => {
  const found = await status(pid);
  return found?.started === started && found.state !== "Z";
};

/** The process that the file `record` names, when it still runs. */
export const runningProcess = async (record: string): Promise<RecordedProcess | undefined> => {
  const text = await readFile(record, "utf8").catch(() => undefined);
  const recorded: RecordedProcess | undefined = text && JSON.parse(text);
  return recorded && (await isAlive(recorded)) ? recorded : undefined;
};

/** Starts a process that stays, in a session of its own, and writes down which it is. Its output goes to the end of `log`. */
export const startProcess = async (record: string, log: string, command: string, args: string[]): Promise<void> => {
  await mkdir(dirname(record), { recursive: true });
  const output = await open(log, "a");
  try {
    // Nothing of the caller's environment (a CI's tokens, say) stays behind in a process that stays.
    const env = { PATH: process.env.PATH, HOME: "/", LANG: "C.UTF-8" };
    const child = spawn(command, args, { detached: true, stdio: ["ignore", output.fd, output.fd], env });
    await once(child, "spawn");
    child.unref();
    await writeFile(record, JSON.stringify(await recordProcess(child.pid as number)));
  } finally {
    await output.close();
  }
};

const ended = (recorded: RecordedProcess, seconds: number): Promise<true> =>
  until(`end of process ${recorded.pid}`, seconds, async () => ((await isAlive(recorded)) ? undefined : true));

/** Ends a recorded process: asks, and after five seconds forces. Does nothing when it has gone. */
export const stopProcess = async (record: string): Promise<void> => {
  const running = await runningProcess(record);
  if (running) {
    process.kill(running.pid, "SIGTERM");
    await ended(running, 5).catch(async () => {
      process.kill(running.pid, "SIGKILL");
      await ended(running, 10);
    });
  }
  await rm(record, { force: true });
};
