/** One callback of a TynTec application: the events that it gets. */
export interface Webhook {
  events: string[];
  callbackUrl: string;
}

/** An event that does not go where it should; `undefined` is nowhere. */
export interface Difference {
  event: string;
  now: string | undefined;
  wanted: string | undefined;
}

/** Event → URL; `undefined` is nowhere. */
export type Targets = ReadonlyMap<string, string | undefined>;

/** Event → URL: the order of webhooks and events, and how events are grouped, mean nothing. */
export const callbacks = (list: Webhook[]): Map<string, string> =>
  new Map(list.flatMap(({ events, callbackUrl }) => events.map((event) => [event, callbackUrl] as const)));

/** The events of the wanted webhooks that do not go there yet. */
export const differences = (present: Webhook[], wanted: Webhook[]): Difference[] =>
  unsettled(present, callbacks(wanted));

/** The events of `targets` that do not go there yet. */
export const unsettled = (present: Webhook[], targets: Targets): Difference[] => {
  const now = callbacks(present);
  return [...targets]
    .filter(([event, wanted]) => now.get(event) !== wanted)
    .map(([event, wanted]) => ({ event, now: now.get(event), wanted }));
};

/** The webhooks with the events of `targets` sent there. All else stays, with the fields that only the API knows. */
export const redirected = (present: Webhook[], targets: Targets): Webhook[] => {
  const kept = present.map((webhook) => ({
    ...webhook,
    events: webhook.events.filter((event) => !targets.has(event) || targets.get(event) === webhook.callbackUrl),
  }));
  const settled = callbacks(kept);
  for (const [event, callbackUrl] of targets) {
    if (callbackUrl === undefined || settled.has(event)) continue;
    const webhook = kept.find((each) => each.callbackUrl === callbackUrl);
    if (webhook) webhook.events.push(event);
    else kept.push({ events: [event], callbackUrl });
  }
  return kept.filter(({ events }) => events.length);
};
