import { labObstacle } from "../lab/requirements.ts";

/**
 * Whether tests that boot hosts, or need root in another way, can run; says so where they cannot. Under CI they run in any case,
 * and fail. `JTEL_CHAT_LAB=never` leaves them out.
 *
 * @param what is skipped, e.g. "HAProxy on a booted host"
 */
export const bootable = async (what: string): Promise<boolean> => {
  const never = process.env.JTEL_CHAT_LAB === "never";
  const obstacle = never ? "JTEL_CHAT_LAB is never" : await labObstacle();
  if (!obstacle || (process.env.CI === "true" && !never)) return true;
  console.warn(`SKIPPED: ${what} – ${obstacle}`);
  return false;
};
