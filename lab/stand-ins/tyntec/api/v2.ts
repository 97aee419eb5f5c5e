import { violationsOf } from "../contract/problem.ts";
import { application, applicationUpdate, type Webhook } from "../contract/v2.ts";
import { type Api, invalid, notAllowed, notFound } from "./api.ts";

/** Version 2: `GET` and `PATCH /applications/default`. */
export const version2: Api = ({ method, path, body, refuseEvents }, account) => {
  if (path !== "/applications/default") return notFound(path);
  if (method === "GET") {
    const { webhooks } = account;
    return { status: 200, value: application.parse({ id: "default", name: "Default Application", webhooks }) };
  }
  if (method !== "PATCH") return notAllowed(method);
  const update = applicationUpdate.safeParse(body);
  if (!update.success) return invalid(violationsOf(update.error));
  const refused = violationsOfRefused(update.data.webhooks, refuseEvents);
  if (refused.length) return invalid(refused);
  account.webhooks = merged(account.webhooks, update.data.webhooks);
  return { status: 204 };
};

const violationsOfRefused = (webhooks: Webhook[], refuseEvents: string | undefined) =>
  webhooks.flatMap(({ events }, at) =>
    events.flatMap((event, index) =>
      refuseEvents && event.startsWith(refuseEvents)
        ? [{ field: `webhooks[${at}].events[${index}]`, message: `unknown event type ${event}` }]
        : [],
    ),
  );

/** Event by event: one that is not named keeps its URL, and so does the default. Events of one URL are one webhook. */
const merged = (present: Webhook[], update: Webhook[]): Webhook[] => {
  const both = [...present, ...update];
  const urls = new Map(both.flatMap(({ events, callbackUrl }) => events.map((event) => [event, callbackUrl] as const)));
  const fallback = both.findLast(({ events }) => !events.length);
  const named = [...Map.groupBy(urls, ([, callbackUrl]) => callbackUrl)].map(([callbackUrl, group]) => ({
    events: group.map(([event]) => event),
    callbackUrl,
  }));
  return [...named, ...(fallback ? [fallback] : [])];
};
