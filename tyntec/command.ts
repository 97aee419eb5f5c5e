import { printable } from "../hosts/printable.ts";
import type { SeenCallbacks } from "./look-at-callbacks.ts";

const program = "node tyntec/webhooks.ts";

/**
 * The command that makes the document true. Events that have gone astray must run it again, so its text changes: a count tells
 * one time from the next, and the comment says why. Such a text stays in the state until the next time.
 */
export const applyCommand = (seen: SeenCallbacks | undefined): string => {
  if (!seen?.recorded || !seen.reasons.length) return `${program} apply`;
  const times = Number(/# (\d+)\./.exec(seen.recorded.create)?.[1] ?? 1) + 1;
  return `${program} apply # ${times}. time: ${printable(seen.reasons.join("; "))}`;
};

/** The command that gives our events back. */
export const undoCommand = `${program} undo`;
