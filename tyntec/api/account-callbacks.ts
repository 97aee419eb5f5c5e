import type { Destinations, Targets } from "../model/destinations.ts";

/** An account's callbacks as they were read, and the way to change them. */
export interface AccountCallbacks extends Destinations {
  /** Whether an event that goes somewhere can only be sent elsewhere, not nowhere. */
  merges: boolean;
  /** Why they cannot be changed, as an error's text; undefined if they can. */
  locked?: string | undefined;
  /** Sends each event of `targets` there; all else stays. @throws Error that starts with `TynTec:` and says what to do. */
  redirect(targets: Targets): Promise<void>;
  /** What keeps events from chat even when they go where `targets` says, as lines for a person. */
  overrides(targets: Targets): Promise<string[]>;
}
