import { readFileSync, writeFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { stackFile } from "../config/load.ts";
import { approvedDigest, observer } from "../hosts/look/environment.ts";
import type { Judge, SeenPrerequisite, Sight } from "../hosts/look/look.ts";
import { stackOwner } from "../hosts/owner.ts";
import { type Approvable, approvable } from "./approval.ts";
import { exportedState } from "./state-lines.ts";

/** What a run leaves for `npm run report` and `npm run apply`, as JSON. */
export interface Seen extends Pick<Sight, "hosts"> {
  /** What else was seen, without what was found there, which may hold somebody's password. */
  prerequisites: Omit<SeenPrerequisite, "found">[];
  /** The account that has looked, where it may only observe. */
  observer?: string | undefined;
  approval: Approvable;
}

/**
 * Refuses a run that is not the approved one, where there is an approval (`JTEL_CHAT_APPROVED`), and writes down what was seen
 * where somebody wants to read it (`JTEL_CHAT_SEEN`, a file). Does nothing otherwise.
 *
 * Takes the stack's secrets by their keys, `approval.key` among them.
 */
export const judge =
  ({ "approval.key": key, ...secrets }: Record<string, string>): Judge =>
  async (sight) => {
    const file = process.env.JTEL_CHAT_SEEN;
    const approved = approvedDigest();
    if (!file && !approved) return [];
    const stack = pulumi.getStack();
    const approval = await approvable(sight, {
      ...{ project: pulumi.getProject(), stack, secrets, key, observer: observer() },
      newOwner: await stackOwner().isNew,
      stackFile: readFileSync(stackFile(), "utf8"),
      state: await exportedState(stack),
    });
    const { hosts } = sight;
    const prerequisites = sight.prerequisites.map(({ found: _, ...said }) => said);
    const seen: Seen = { hosts, prerequisites, observer: observer(), approval };
    if (file) writeFileSync(file, JSON.stringify(seen), { mode: 0o600 });
    return approved ? refusals(approval, approved) : [];
  };

/** Why what was seen is not what was approved. */
const refusals = (approval: Approvable, approved: string): string[] => {
  if ("refused" in approval) return [`not approvable: ${approval.refused}`];
  if (approval.digest === approved) return [];
  return [`this is not what was approved: approved ${approved.slice(0, 16)}…, now ${approval.digest.slice(0, 16)}…`];
};
