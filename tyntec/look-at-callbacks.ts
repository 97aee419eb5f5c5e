import * as pulumi from "@pulumi/pulumi";
import { type OnDrift, stopsAtDrift } from "../hosts/look/drift-policy.ts";
import { type Look, unseen } from "../hosts/look/look.ts";
import { newWay } from "./address.ts";
import { claimOf, refusals, takenAway } from "./claim.ts";
import { type CallbacksDocument, versionOf, wantedOf } from "./document.ts";
import { unsettled } from "./model/destinations.ts";
import { whereabouts } from "./model/whereabouts.ts";
import { type Recorded, recordedCallbacks, resourceNames } from "./recorded.ts";

/** What a look at the account has found. */
export interface SeenCallbacks {
  /** Where our events go that should go elsewhere, as lines. */
  astray: string[];
  /** Why the command has to run again, as lines: what is astray, and another way to the API. */
  reasons: string[];
  /** What keeps events from chat although they go to our URLs, as lines. */
  overrides: string[];
  /** What the state says that we have set. */
  recorded: Recorded | undefined;
}

/** What a look needs beside the document. */
export interface LookOptions {
  apiKey: string;
  /** What `up` does when our events were moved at TynTec. @default "heal" */
  onDrift?: OnDrift | undefined;
}

/** Have the account looked at together with the hosts; undefined where looking is switched off. */
export const lookAtCallbacks = (
  look: Look,
  document: CallbacksDocument,
  { apiKey, onDrift }: LookOptions,
): Promise<SeenCallbacks | undefined> => {
  const compare = async () => {
    const { problems, unseen: notSeen, ...found } = await compared(document, apiKey);
    const drift = found.recorded ? found.astray : [];
    const taken = found.recorded ? [] : found.astray.map((line) => `takes over: ${line}`);
    return {
      found,
      problems: [...problems, ...(stopsAtDrift(onDrift) ? driftProblems(found) : [])],
      ...{ drift, warnings: [...taken, ...found.overrides], unseen: notSeen },
    };
  };
  return look
    .registerPrerequisite({ name: resourceNames[versionOf(document)], look: compare })
    .then((found) => (found === unseen ? undefined : found));
};

const compared = async (
  document: CallbacksDocument,
  apiKey: string,
): Promise<SeenCallbacks & { problems: string[]; unseen?: string }> => {
  const [version, wanted] = [versionOf(document), wantedOf(document)];
  const recordedAll = await recordedCallbacks();
  const recorded = recordedAll.find((each) => versionOf(each.document) === version);
  const { url, caFile, takeOver } = document;
  const way = newWay(document, recordedAll);
  if (way.length && pulumi.runtime.isDryRun()) {
    const notSeen = notAsked(way);
    await pulumi.log.warn(notSeen);
    return { astray: [], reasons: way, overrides: [], recorded, problems: [], unseen: notSeen };
  }
  // Loaded here: it takes a tenth of a second, and the hosts are looked at meanwhile.
  const { readCallbacks } = await import("./api/account.ts");
  const present = await readCallbacks(version, { url, caFile, apiKey });
  const overrides = await present.overrides(wanted);
  const differences = unsettled(present, wanted);
  const astray = whereabouts(differences);
  const earlier = recorded && claimOf(recorded.document.url, wantedOf(recorded.document));
  const refused = takeOver ? [] : refusals(takenAway(present, claimOf(url, wanted), earlier));
  const locked = differences.length && present.locked ? [present.locked] : [];
  return { astray, reasons: [...way, ...astray], overrides, recorded, problems: [...locked, ...refused] };
};

/** A preview may be of a stack file that nobody has read yet. */
const notAsked = (way: string[]): string =>
  `TynTec was not asked, and this preview does not show what was moved there: ${way.join("; ")}. In a preview the API key goes only the way that the last pulumi up has sent it. pulumi up asks. Not approvable: not seen`;

const driftProblems = ({ astray, recorded }: SeenCallbacks): string[] =>
  recorded
    ? astray.map(
        (line) => `TynTec: ${line}: that was changed there, and onDrift is "stop". To bring it back, set onDrift: heal`,
      )
    : [];
