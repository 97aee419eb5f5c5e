import type { Difference } from "./destinations.ts";

/** Where events go now, a line for each place: `MoMessage goes to https://crm.example/hook`. */
export const whereabouts = (list: Difference[]): string[] =>
  [...Map.groupBy(list, place)].map(([where, group]) => {
    const events = group.map(({ event }) => event).join(", ");
    return `${events} ${group.length === 1 ? "goes" : "go"} ${where}`;
  });

const place = ({ now, byDefault }: Difference): string => {
  if (now === undefined) return "nowhere";
  return `to ${openPart(now)}${byDefault ? " (the default webhook)" : ""}`;
};

/** A URL without what may be somebody's password or token: `https://crm.example/hook?…`. */
export const openPart = (text: string): string => {
  const url = URL.parse(text);
  if (!url) return "something that is no URL";
  return `${url.origin}${url.pathname}${url.search || url.username || url.password ? "?…" : ""}`;
};
