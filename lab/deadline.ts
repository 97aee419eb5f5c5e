import { setTimeout as pause } from "node:timers/promises";

/** Slower machines get more time: `JTEL_CHAT_DEADLINE_FACTOR=3` triples every deadline. */
const factor = Number(process.env.JTEL_CHAT_DEADLINE_FACTOR || 1);

/** Units of a test's deadline: milliseconds, times the factor. */
export const seconds = 1000 * factor;
export const minutes = 60 * seconds;

/**
 * Waits for `event`: looks again and again until `look` finds something.
 * @throws after `limit` seconds (times the factor), naming the event and the last error that `look` threw
 */
export const until = async <T>(event: string, limit: number, look: () => Promise<T | undefined>): Promise<T> => {
  const deadline = Date.now() + limit * seconds;
  for (let last = ""; ; await pause(50)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`${event}: not within ${limit * factor} s${last}`);
  }
};
