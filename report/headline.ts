import type { Report } from "./report.ts";

const verdicts: Record<Report["verdict"], string> = {
  nothing: "nothing to do",
  changes: "changes",
  unseen: "cannot be approved",
  failed: "the preview failed",
};

/**
 * The verdict, e.g. `changes`, `cannot be approved: lb2 not seen`, or `changes (candidates not checked on the hosts)` where an
 * account has looked that may only observe.
 */
export const verdictText = ({ verdict, unseen, observer }: Report): string => {
  if (verdict === "unseen") return `${verdicts.unseen}: ${list(unseen.map(({ host }) => host))} not seen`;
  return observer && verdict !== "failed"
    ? `${verdicts[verdict]} (candidates not checked on the hosts)`
    : verdicts[verdict];
};

/** How far an `up` would reach, in one line: `2 hosts; chatserver1, then chatserver2 restart; no reload; 41 connections are open`. */
export const reachText = ({ verdict, reach, drift }: Report): string => {
  if (verdict === "nothing") return "";
  const { hosts, restarts, reloads, sessions, removed } = reach;
  const open = Object.values(sessions).reduce((sum, count) => sum + count, 0);
  const parts = [
    hosts.length ? `writes on ${list(hosts)}` : "writes on no host",
    restarts.length ? `restarts ClientMessenger on ${restarts.join(", then ")}` : "restarts nothing",
    reloads.length ? `reloads HAProxy on ${list(reloads)}` : "reloads no HAProxy",
    ...(removed.length ? [`removes ${list(removed)}`] : []),
    ...(drift.length ? [`takes back ${counted(drift.length, "hand edit")}`] : []),
    `${counted(open, "connection")} of clients now`,
  ];
  return `${verdict === "unseen" ? "as far as it was seen: " : ""}${parts.join("; ")}`;
};

/** `a`, `a and b`, `a, b and c`. */
const list = (names: string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** `1 warning`, `2 warnings`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Where something is, `the same on chatserver1 and chatserver2: messenger`. */
export const placeText = ({ hosts, step }: { hosts: string[]; step: string }): string => {
  if (!hosts.length) return step;
  return `${hosts.length > 1 ? `the same on ${list(hosts)}` : hosts[0]}: ${step}`;
};
