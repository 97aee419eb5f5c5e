/**
 * `node tyntec/webhooks.ts apply|undo` – what the `TynTecWebhooks` component runs on the controller.
 *
 * Standard input: a {@link CallbacksDocument}; the key comes as TYNTEC_API_KEY, so that it is in no command line.
 * Standard error says what was done. Standard output is `claim: {…}`: Pulumi keeps it and hands it over as
 * PULUMI_COMMAND_STDOUT, so that a later run knows which events are ours and undo can give them back.
 */
import { text } from "node:stream/consumers";
import { readCallbacks } from "./api/account.ts";
import type { AccountCallbacks } from "./api/account-callbacks.ts";
import { proxyOf } from "./api/proxy.ts";
import {
  claimLine,
  claimOf,
  givenBack,
  printedClaim,
  type RecordedClaim,
  recordedClaim,
  refusals,
  takenAway,
} from "./claim.ts";
import { type CallbacksDocument, parsedDocument, versionOf, wantedOf } from "./document.ts";
import { type Difference, type Targets, unsettled } from "./model/destinations.ts";
import { whereabouts } from "./model/whereabouts.ts";

/** Reads the account's callbacks anew. */
type Read = () => Promise<AccountCallbacks>;

const apply = async (document: CallbacksDocument, read: Read): Promise<void> => {
  const { url, takeOver } = document;
  const present = await read();
  const [wanted, earlier] = [claimOf(url, wantedOf(document)), recorded()];
  const taken = takenAway(present, wanted, earlier);
  if (taken.length && !takeOver) throw new Error(refusals(taken).join("\n"));
  const dropped = earlier?.api === url ? givenBack(present, earlier) : [];
  await redirect(read, present, new Map([...dropped, ...Object.entries(wanted.ours)]));
  console.log(claimLine({ ...recordedClaim(present, wanted, earlier), proxy: proxyOf(url) ?? "" }));
};

const undo = async (document: CallbacksDocument, read: Read): Promise<void> => {
  const present = await read();
  const claim = recorded() ?? { ...claimOf(document.url, wantedOf(document)), before: {} };
  await redirect(read, present, givenBack(present, claim));
};

/** What the last successful run of this resource has printed. */
const recorded = (): RecordedClaim | undefined => printedClaim(process.env.PULUMI_COMMAND_STDOUT ?? "");

/** Writes when something differs, then looks what came of it: an error may have come after the change. */
const redirect = async (read: Read, present: AccountCallbacks, targets: Targets): Promise<void> => {
  const { changes = [], staying = [] } = Object.groupBy(unsettled(present, targets), ({ wanted }) =>
    present.merges && wanted === undefined ? "staying" : "changes",
  );
  for (const line of whereabouts(staying)) say(`${line} still: ${cannotUnset}`);
  if (!changes.length) return staying.length ? undefined : say("the webhooks are as wanted");
  if (present.locked) throw new Error(present.locked);
  const due = new Map(changes.map(({ event, wanted }) => [event, wanted]));
  const failure = await present.redirect(due).then(
    () => undefined,
    (error: Error) => error,
  );
  const after = await read().catch((error: Error) => error);
  if (after instanceof Error) {
    if (failure) throw new Error(`${failure.message}\nWhat stands there now is not known. ${after.message}`);
    // Failing now would lose the note of what was there before.
    return say(`the webhooks were accepted, but cannot be read back. ${after.message}`);
  }
  const missing = unsettled(after, due);
  if (missing.length) throw new Error(unfinished(failure, missing, changes));
  for (const line of whereabouts(changes.map(({ event, wanted }) => ({ event, now: wanted, wanted }))))
    say(`${line} now`);
};

const cannotUnset =
  "no URL from before is known, and version 2 of the API cannot unset an event. If that URL must not be called, ask TynTec to remove it";

const unfinished = (failure: Error | undefined, missing: Difference[], changes: Difference[]): string => {
  const stands = whereabouts(missing).join("; ");
  if (!failure) {
    return `TynTec: the API accepted the webhooks, but does not have them: ${stands}. Look at the account in TynTec's own pages, then run this again`;
  }
  const unchanged = JSON.stringify(missing) === JSON.stringify(changes);
  return `${failure.message}\n${unchanged ? "Nothing was changed there" : `There now: ${stands}`}`;
};

const say = (line: string): void => console.error(`TynTec: ${line}`);

const main = async (): Promise<void> => {
  const document = parsedDocument(await text(process.stdin));
  const account = { url: document.url, caFile: document.caFile, apiKey: process.env.TYNTEC_API_KEY ?? "" };
  const read = () => readCallbacks(versionOf(document), account);
  await (process.argv[2] === "undo" ? undo : apply)(document, read);
};

main().catch((error: Error) => {
  console.error(error.message);
  if (process.argv[2] === "undo") {
    console.error(
      "To leave the webhooks as they are: pulumi state delete URN (pulumi stack --show-urns: tyntec-webhooks, with API v3 tyntec-callbacks)",
    );
  }
  process.exitCode = 1;
});
