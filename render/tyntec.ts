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

const statusEvents = ["accepted", "delivered", "seen", "failed", "channelFailed", "deleted"];
const groupEvents = ["userJoined", "userLeft", "subjectChanged", "descriptionChanged"];

/** Options of {@link webhooks}. */
export interface WebhooksOptions {
  /** Group messaging ended in 2020, and a later API may refuse its events; the vendor's page has them. @default true */
  groupEvents?: boolean | undefined;
}

/** The two webhooks of chat (vendor page "WhatsApp"); `portal` is the portal's public https URL. */
export const webhooks = (portal: string, options: WebhooksOptions = {}): Webhook[] => [
  { events: ["MoMessage"], callbackUrl: new URL("/incoming", portal).href },
  {
    events: [
      ...statusEvents.map((event) => `MessageStatus::${event}`),
      ...(options.groupEvents === false ? [] : groupEvents.map((event) => `WhatsAppGroupEvent::${event}`)),
    ],
    callbackUrl: new URL("/delivery", portal).href,
  },
];

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

/** Where events go now, a line for each URL: `MoMessage goes to https://crm.example/hook`. */
export const whereabouts = (list: Difference[]): string[] =>
  [...Map.groupBy(list, ({ now }) => now)].map(([now, group]) => {
    const events = group.map(({ event }) => event).join(", ");
    return `${events} ${group.length === 1 ? "goes" : "go"} ${now === undefined ? "nowhere" : `to ${openPart(now)}`}`;
  });

/** Somebody else's URL may hold his password or token: only what is before it is shown. */
const openPart = (text: string): string => {
  const url = URL.parse(text);
  if (!url) return "something that is no URL";
  return `${url.origin}${url.pathname}${url.search || url.username || url.password ? "?…" : ""}`;
};
