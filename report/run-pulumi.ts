import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Seen } from "../approval/judge.ts";

/** What came of running Pulumi. */
export interface PulumiRun {
  /** 1 where it has not ended by itself. */
  exitCode: number;
  /** Empty where its output went to the terminal. */
  stdout: string;
  stderr: string;
  /** Why it has not ended by itself, e.g. that it was killed or is not installed. */
  failure: string | undefined;
  /** What the program has seen; undefined where it has ended before that. */
  seen: Seen | undefined;
}

/**
 * Runs Pulumi, and reads what the program leaves at the path in `JTEL_CHAT_SEEN`.
 *
 * A ^C reaches Pulumi by itself, which ends what it has begun, and this waits for it: with a handler here, execa sends no second
 * signal, which would end Pulumi at once and leave pending operations in the state.
 *
 * @param shown Whether its output goes to the terminal.
 */
export const runPulumi = async (
  argv: string[],
  { shown = false, env = {} }: { shown?: boolean; env?: Record<string, string> } = {},
): Promise<PulumiRun> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-pulumi-"));
  const file = join(directory, "seen.json");
  process.on("SIGINT", wait);
  try {
    const { exitCode, stdout, stderr, shortMessage } = await execa("pulumi", argv, {
      ...{ stdio: shown ? "inherit" : "pipe", reject: false },
      env: { ...env, JTEL_CHAT_SEEN: file },
    });
    return {
      ...{ exitCode: exitCode ?? 1, stdout: String(stdout ?? ""), stderr: String(stderr ?? "") },
      failure: exitCode === undefined ? shortMessage : undefined,
      seen: await seenIn(file),
    };
  } finally {
    process.off("SIGINT", wait);
    await rm(directory, { recursive: true });
  }
};

const wait = (): void => {};

const seenIn = async (file: string): Promise<Seen | undefined> => {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
};
