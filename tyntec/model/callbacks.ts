import type { Destinations, Targets } from "./destinations.ts";

/** One webhook of a TynTec application (API v2): the events that it gets. Without any it is the default webhook. */
export interface Webhook {
  events: string[];
  callbackUrl: string;
}

/** Event → URL: the order of webhooks and events, and how events are grouped, mean nothing. */
export const callbacks = (list: Webhook[]): Map<string, string> =>
  new Map(list.flatMap(({ events, callbackUrl }) => events.map((event) => [event, callbackUrl] as const)));

/** Where an application with these webhooks sends its events. */
export const destinationsOf = (list: Webhook[]): Destinations => ({
  urls: callbacks(list),
  fallback: list.find(({ events }) => !events.length)?.callbackUrl,
});

/** Webhooks that send each event of `targets` to its URL. Those that go nowhere are left out. */
export const webhooksFor = (targets: Targets): Webhook[] => {
  const going = [...targets].flatMap(([event, callbackUrl]) => (callbackUrl ? [{ event, callbackUrl }] : []));
  return [...Map.groupBy(going, ({ callbackUrl }) => callbackUrl)].map(([callbackUrl, group]) => ({
    events: group.map(({ event }) => event),
    callbackUrl,
  }));
};
