import type { Seen } from "../approval/judge.ts";
import { runPulumi } from "./run-pulumi.ts";

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
  /** Inputs that change, e.g. `["stdin"]`: of secret ones both states have the same placeholder. */
  diffReasons?: string[];
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
  const options = ["--stack", stack, "--json", "--non-interactive", "--color", "never", ...argv];
  const { exitCode, stdout, stderr, failure, seen } = await runPulumi(["preview", ...options]);
  const { steps = [], diagnostics = [] }: Preview = parsed(stdout);
  const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
  if (failure) errors.push(failure);
  if (exitCode && !errors.length) errors.push(stderr || stdout || `pulumi preview ended with exit code ${exitCode}`);
  return { steps, errors, seen };
};

const parsed = (stdout: string): Preview => {
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
};
