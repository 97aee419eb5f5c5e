import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { execaSync } from "execa";
import { expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { seedOf } from "../long-runs.ts";

/** What chance decides in one trial. */
export interface Chance {
  /** Which trial of its row this is, from 0 on. */
  number: number;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
}

/** One row of the fault table. */
export interface Fault {
  /** What happens, and how the trial makes it: the row's two first cells in docs/reliability.md. */
  fault: string;
  how: string;
  /** Makes it happen once. Resolves to what was lost, e.g. `hazelcast.xml is a mixture`; to nothing where the promise was kept. */
  trial: (chance: Chance) => Promise<string | undefined>;
}

/** The outcome of a row's trials, as one line of JSON in the file that `JTEL_CHAT_FAULTS` names. */
export interface Outcome extends Pick<Fault, "fault" | "how"> {
  /** On which host, e.g. `chat server`. */
  on: string;
  trials: number;
  losses: string[];
}

const { stdout: commit } = execaSync("git", ["rev-parse", "HEAD"], { reject: false });
const seed = seedOf(commit ?? "");

/** Numbers that look random and depend on the seed, the row and the trial only. */
const chanceOf = (fault: string, number: number): Chance => {
  let drawn = 0;
  return {
    number,
    below: (limit) =>
      createHash("sha256").update(`${seed} ${fault} ${number} ${drawn++}`).digest().readUInt32BE() % limit,
  };
};

/**
 * Makes each row a test of `TRIALS` trials. Without that number, as in `npm test`, one row that the seed chooses is tried once.
 */
export const faults = (on: string, rows: Fault[]): void => {
  const trials = Number(process.env.TRIALS || 0);
  const chosen = trials ? rows : [rows[seed % rows.length] as Fault];
  for (const { fault, how, trial } of chosen) {
    const count = trials || 1;
    test(
      `${fault}: ${how}`,
      async () => {
        const losses: string[] = [];
        for (let number = 0; number < count; number++) {
          const lost = await trial(chanceOf(fault, number)).catch((error: Error) => error.message);
          if (lost) losses.push(`trial ${number}: ${lost}`);
        }
        const file = process.env.JTEL_CHAT_FAULTS;
        if (file)
          appendFileSync(file, `${JSON.stringify({ on, fault, how, trials: count, losses } satisfies Outcome)}\n`);
        expect(losses, `seed ${seed}`).toEqual([]);
      },
      count * 2 * minutes,
    );
  }
};
