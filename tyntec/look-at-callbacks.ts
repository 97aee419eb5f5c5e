import { type OnDrift, stopsAtDrift } from "../hosts/look/drift-policy.ts";
import { type Look, unseen } from "../hosts/look/look.ts";
import { claimOf, refusals, takenAway } from "./claim.ts";
import { type CallbacksDocument, versionOf, wantedOf } from "./document.ts";
import { unsettled } from "./model/destinations.ts";
import { whereabouts } from "./model/whereabouts.ts";
import { type Recorded, recordedCallbacks, resourceNames } from "./recorded.ts";

/** What a look at the account has found. */
export interface SeenCallbacks {
  /** Where our events go that should go elsewhere, as lines. */
  astray: string[];
  /** What keeps events from chat although they go to our URLs, as lines. */
  overrides: string[];
  /** What the state says that we have set; not asked for when nothing has gone astray. */
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
    const { problems, ...found } = await compared(document, apiKey);
    return { found, problems: [...problems, ...(stopsAtDrift(onDrift) ? driftProblems(found) : [])] };
  };
  return look
    .registerPrerequisite({ name: resourceNames[versionOf(document)], look: compare })
    .then((found) => (found === unseen ? undefined : found));
};

const compared = async (
  document: CallbacksDocument,
  apiKey: string,
): Promise<SeenCallbacks & { problems: string[] }> => {
  // Loaded here: it takes a tenth of a second, and the hosts are looked at meanwhile.
  const { readCallbacks } = await import("./api/account.ts");
  const { url, caFile, takeOver } = document;
  const [version, wanted] = [versionOf(document), wantedOf(document)];
  const present = await readCallbacks(version, { url, caFile, apiKey });
  const overrides = await present.overrides(wanted);
  const astray = unsettled(present, wanted);
  if (!astray.length) return { astray: [], overrides, recorded: undefined, problems: [] };
  const recorded = await recordedCallbacks(version);
  const earlier = recorded && claimOf(recorded.document.url, wantedOf(recorded.document));
  const refused = takeOver ? [] : refusals(takenAway(present, claimOf(url, wanted), earlier));
  const problems = [...(present.locked ? [present.locked] : []), ...refused];
  return { astray: whereabouts(astray), overrides, recorded, problems };
};

const driftProblems = ({ astray, recorded }: SeenCallbacks): string[] =>
  recorded
    ? astray.map(
        (line) => `TynTec: ${line}: that was changed there, and onDrift is "stop". To bring it back, set onDrift: heal`,
      )
    : [];
