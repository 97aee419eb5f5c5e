import { isDryRun } from "../../config/pulumi.ts";
import type { StepAnswer } from "./answer.ts";

/** What `up` does about hand edits: bring the configuration back, or stop before the first write. */
export type OnDrift = "heal" | "stop";

/** Whether drift is a problem for this run. To a preview it never is: that shows it. */
export const stopsAtDrift = (onDrift: OnDrift | undefined): boolean => onDrift === "stop" && !isDryRun();

/** The steps that were changed on their host, as problems of an `up` that may not heal them. */
export const driftProblems = (answers: Record<string, StepAnswer>): string[] =>
  Object.entries(answers)
    .filter(([, { drifted }]) => drifted)
    .map(
      ([step, { reason }]) =>
        `${step} was changed on the host (${reason}), and onDrift is "stop". Look at it with pulumi preview --diff; to bring it back, set onDrift: heal`,
    );
