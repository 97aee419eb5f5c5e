import type { Maintenance } from "./schema.ts";

/** Names a window as a person says it: `mon, tue from 22:00 to 04:00 (Europe/Berlin)`. */
export const windowText = ({ days, from, to, timezone }: Maintenance): string =>
  `${days.length === 7 ? "every day" : days.join(", ")} from ${from} to ${to} (${timezone})`;

/**
 * Tells whether a moment is within a window. One over midnight belongs to the day on which it begins: with `days: [fri]`,
 * `from: "22:00"` and `to: "04:00"`, Saturday 03:00 is within.
 *
 * `from` is within, `to` is not. Where clocks are put on or back, the clock's own time counts.
 */
export const isWithin = ({ days, from, to, timezone }: Maintenance, moment: Date): boolean => {
  const today = at(timezone, moment);
  const { time } = today;
  const opens = (day: string): boolean => (days as string[]).includes(day);
  if (from < to) return opens(today.day) && from <= time && time < to;
  return (opens(today.day) && from <= time) || (opens(before(today.day)) && time < to);
};

const week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const before = (day: string): string => week.at(week.indexOf(day) - 1) ?? "";

const at = (timeZone: string, moment: Date): { day: string; time: string } => {
  const format = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  });
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  return { day: parts.get("weekday")?.toLowerCase() ?? "", time: `${parts.get("hour")}:${parts.get("minute")}` };
};
