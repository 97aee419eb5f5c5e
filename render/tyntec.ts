/** One callback of a TynTec application: the events that it gets. */
export interface Webhook {
  events: string[];
  callbackUrl: string;
}

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

/** The wanted webhooks and, unchanged, those of events that are not ours. */
export const merged = (present: Webhook[], wanted: Webhook[]): Webhook[] => {
  const ours = callbacks(wanted);
  const foreign = present.map((webhook) => ({
    ...webhook,
    events: webhook.events.filter((event) => !ours.has(event)),
  }));
  return [...foreign.filter(({ events }) => events.length), ...wanted];
};

/** Events that do not reach their URL yet, each as one line for a person. */
export const differences = (present: Webhook[], wanted: Webhook[]): string[] => {
  const now = callbacks(present);
  return [...callbacks(wanted)]
    .filter(([event, url]) => now.get(event) !== url)
    .map(([event, url]) => `${event}: ${now.get(event) ?? "none"} → ${url}`);
};

/** Our events back where they went before; one that somebody else has moved since stays there. */
export const restored = (present: Webhook[], wanted: Webhook[], before: Record<string, string>): Webhook[] => {
  const ours = callbacks(wanted);
  const moved = [...callbacks(present)].flatMap(([event, url]) => {
    const target = ours.get(event) === url ? before[event] : url;
    return target === undefined ? [] : [[event, target] as const];
  });
  return [...Map.groupBy(moved, ([, url]) => url)].map(([callbackUrl, entries]) => ({
    events: entries.map(([event]) => event),
    callbackUrl,
  }));
};
