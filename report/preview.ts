import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Seen } from "../approval/judge.ts";

/** A resource of the state, old or new, as `pulumi preview --json` prints it. */
interface ResourceState {
  type: string;
  inputs?: Record<string, unknown>;
}

/** One change of the engine; what stays the same is not listed. */
export interface PreviewStep {
  op: string;
  urn: string;
  oldState?: ResourceState;
  newState?: ResourceState;
}

/** What the engine and the hosts said. */
export interface Previewed {
  steps: PreviewStep[];
  /** Errors, as the engine prints them. */
  errors: string[];
  /** What the program has seen; undefined where it has ended before that. */
  seen: Seen | undefined;
}

interface Preview {
  steps?: PreviewStep[];
  diagnostics?: { severity: string; message: string }[];
}

/**
 * Runs `pulumi preview` once.
 *
 * @param argv More options, e.g. `--config-file`.
 */
export const preview = async (stack: string, argv: string[] = []): Promise<Previewed> => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-report-"));
  const file = join(directory, "seen.json");
  try {
    const options = ["--stack", stack, "--json", "--non-interactive", "--color", "never", ...argv];
    const { stdout, stderr, exitCode } = await execa("pulumi", ["preview", ...options], {
      reject: false,
      env: { JTEL_CHAT_SEEN: file },
    });
    const { steps = [], diagnostics = [] }: Preview = parsed(stdout);
    const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
    const unsaid =
      exitCode && !errors.length ? [stderr || stdout || `pulumi preview ended with exit code ${exitCode}`] : [];
    return { steps, errors: [...errors, ...unsaid], seen: await readSeen(file) };
  } finally {
    await rm(directory, { recursive: true });
  }
};

/** What the program has left at the path in `JTEL_CHAT_SEEN`. */
export const readSeen = async (file: string): Promise<Seen | undefined> => {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
};

const parsed = (stdout: string): Preview => {
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
};
