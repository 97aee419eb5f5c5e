import type { Destinations, Targets } from "../model/destinations.ts";

/** An account's callbacks as they were read, and the way to change them. */
export interface AccountCallbacks extends Destinations {
  /** Whether an event that goes somewhere can only be sent elsewhere, not nowhere. */
  merges: boolean;
  /** Sends each event of `targets` there; all else stays. @throws Error that starts with `TynTec:` and says what to do. */
  redirect(targets: Targets): Promise<void>;
}
