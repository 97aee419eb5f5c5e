import { type Destinations, type Difference, destination, type Targets, unsettled } from "./model/destinations.ts";
import { whereabouts } from "./model/whereabouts.ts";

type Callbacks = Record<string, string>;

/** The events that this stack has at TynTec. */
export interface Claim {
  /** Base URL of the API that it holds for: events of another account are not ours. */
  api: string;
  /** Where we have made them go. */
  ours: Callbacks;
}

/** A claim with what undo needs. The resource prints it, so Pulumi keeps it. */
export interface RecordedClaim extends Claim {
  /** Where our events went before us; one that went nowhere is missing. */
  before: Callbacks;
  /** Host and port of the proxy that the API was asked through; empty without one, missing in claims of earlier versions. */
  proxy?: string;
}

const mark = "claim: ";

/** The line that the resource prints. */
export const claimLine = (claim: RecordedClaim): string => mark + JSON.stringify(claim);

/** The claim that a run of the resource has printed last. */
export const printedClaim = (output: string): RecordedClaim | undefined => {
  const line = output.split("\n").findLast((each) => each.startsWith(mark));
  return line ? (JSON.parse(line.slice(mark.length)) as RecordedClaim) : undefined;
};

/** The claim that sending these events there means. */
export const claimOf = (api: string, wanted: ReadonlyMap<string, string>): Claim => ({
  api,
  ours: Object.fromEntries(wanted),
});

/**
 * Events that would be taken away from another system: they go elsewhere, and are none that we had before. One of ours that
 * goes elsewhere has drifted, or still goes to our URL of an earlier configuration: that is not somebody else's.
 */
export const takenAway = (present: Destinations, wanted: Claim, earlier?: Claim): Difference[] =>
  unsettled(present, new Map(Object.entries(wanted.ours))).filter(
    ({ event, now }) => now !== undefined && !had(earlier, wanted, event),
  );

const had = (earlier: Claim | undefined, { api }: Claim, event: string): boolean =>
  earlier?.api === api && Object.hasOwn(earlier.ours, event);

/** Why events of another system are not taken, and how to have them: a line for each of its URLs. */
export const refusals = (taken: Difference[]): string[] =>
  whereabouts(taken).map(
    (line) =>
      `TynTec: ${line}: another system gets that now, and would get it no more. To take it over, set tyntec.takeOver: true; pulumi destroy gives it back`,
  );

/** The claim to keep after `wanted` was made true of `present`; what an earlier one noted stays. */
export const recordedClaim = (present: Destinations, wanted: Claim, earlier?: RecordedClaim): RecordedClaim => {
  const before = Object.entries(wanted.ours).flatMap(([event, url]) => {
    const now = destination(present, event);
    const held = had(earlier, wanted, event);
    // Already at our URL: the state was lost, or an earlier run died. It is nobody's to give back, unless that was noted.
    const target = held ? earlier?.before[event] : now === url ? undefined : now;
    return target === undefined ? [] : [[event, target] as const];
  });
  return { ...wanted, before: Object.fromEntries(before) };
};

/**
 * Our events, back where they went before us, or to what is the default webhook now. One that somebody has moved since stays
 * there.
 */
export const givenBack = (present: Destinations, { ours, before }: RecordedClaim): Targets => {
  const still = Object.entries(ours).filter(([event, url]) => destination(present, event) === url);
  return new Map(still.map(([event]) => [event, before[event] ?? present.fallback]));
};
