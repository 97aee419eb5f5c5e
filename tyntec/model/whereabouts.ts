import type { Difference } from "./callbacks.ts";

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
