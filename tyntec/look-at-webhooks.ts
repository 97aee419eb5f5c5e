import { type OnDrift, stopsAtDrift } from "../hosts/look/drift-policy.ts";
import { type Look, unseen } from "../hosts/look/look.ts";
import { claimOf, refusals, takenAway } from "./claim.ts";
import type { WebhooksDocument } from "./document.ts";
import { callbacks } from "./model/callbacks.ts";
import { unsettled } from "./model/destinations.ts";
import { whereabouts } from "./model/whereabouts.ts";
import { type Recorded, recordedWebhooks, resourceName } from "./recorded.ts";

/** What a look at the account has found. */
export interface SeenWebhooks {
  /** Where our events go that should go elsewhere, as lines. */
  astray: string[];
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
export const lookAtWebhooks = (
  look: Look,
  document: WebhooksDocument,
  { apiKey, onDrift }: LookOptions,
): Promise<SeenWebhooks | undefined> => {
  const compare = async () => {
    const { problems, ...found } = await compared(document, apiKey);
    return { found, problems: [...problems, ...(stopsAtDrift(onDrift) ? driftProblems(found) : [])] };
  };
  return look
    .registerPrerequisite({ name: resourceName, look: compare })
    .then((found) => (found === unseen ? undefined : found));
};

const compared = async (
  { url, caFile, takeOver, webhooks }: WebhooksDocument,
  apiKey: string,
): Promise<SeenWebhooks & { problems: string[] }> => {
  // Loaded here: it takes a tenth of a second, and the hosts are looked at meanwhile.
  const { readApplication } = await import("./api/application.ts");
  const present = await readApplication({ url, caFile, apiKey });
  const wanted = callbacks(webhooks);
  const astray = unsettled(present, wanted);
  if (!astray.length) return { astray: [], recorded: undefined, problems: [] };
  const recorded = await recordedWebhooks();
  const earlier = recorded && claimOf(recorded.document.url, callbacks(recorded.document.webhooks));
  const taken = takenAway(present, claimOf(url, wanted), earlier);
  return { astray: whereabouts(astray), recorded, problems: takeOver ? [] : refusals(taken) };
};

const driftProblems = ({ astray, recorded }: SeenWebhooks): string[] =>
  recorded
    ? astray.map(
        (line) => `TynTec: ${line}: that was changed there, and onDrift is "stop". To bring it back, set onDrift: heal`,
      )
    : [];
