import type { Seen } from "../approval/judge.ts";
import { seenBalancers } from "../hosts/look/balancers.ts";
import type { SeenHost } from "../hosts/look/look-at-host.ts";
import { unlike } from "../hosts/look/unlike.ts";
import { printable, printableLines } from "../hosts/printable.ts";
import type { Report } from "./report.ts";

/** What hosts said of themselves, and what was seen beside them: the part of a report that needs no engine. */
export const said = (
  hosts: SeenHost[],
  others: Seen["prerequisites"] = [],
): Pick<Report, "hosts" | "unseen" | "drift" | "warnings"> => ({
  hosts: hosts.map(({ name, answers }) => ({ name, steps: Object.keys(answers) })),
  unseen: [...hosts, ...others].flatMap(({ name, unseen: why }) => (why ? [{ host: name, why: printable(why) }] : [])),
  drift: together([...hosts.flatMap(driftOf), ...others.flatMap(otherDrift)]),
  warnings: together([...hosts.flatMap(warningsOf), ...amongHosts(hosts), ...others.flatMap(otherWarnings)]),
});

/** What is on no host, e.g. the webhooks at TynTec. */
const otherDrift = ({ name, drift = [] }: Seen["prerequisites"][number]) =>
  drift.map((reason) => ({ host: undefined, step: name, reason: printable(reason), diff: "", written: {} }));

const otherWarnings = ({ name, warnings = [] }: Seen["prerequisites"][number]) =>
  warnings.map((text) => ({ host: undefined, step: name, text: printable(text) }));

const driftOf = ({ name, answers }: SeenHost) =>
  Object.entries(answers)
    .filter(([, { drifted }]) => drifted)
    .map(([step, { reason, diff, facts }]) => ({
      ...{ host: name, step, reason: printable(reason), diff: printableLines(diff) },
      written: factsOf(facts, "written"),
    }));

/** A problem of what was applied is one, too: it stops nothing where nothing would be written. */
const warningsOf = ({ name, answers, problems: stopping }: SeenHost) =>
  Object.entries(answers).flatMap(([step, { warnings, problems }]) =>
    [...warnings, ...(stopping.length ? [] : problems)].map((text) => ({ host: name, step, text: printable(text) })),
  );

/** What no host knows by itself. */
const amongHosts = (hosts: SeenHost[]) =>
  [...unlike(hosts), ...seenBalancers(hosts).warnings].map((text) => ({
    ...{ host: undefined, step: "all hosts", text: printable(text) },
  }));

/** Facts of one kind by their subject: `written:/etc/x` becomes `/etc/x`. */
export const factsOf = (facts: Record<string, string>, kind: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(facts)
      .filter(([key]) => key.startsWith(`${kind}:`))
      .map(([key, value]) => [printable(key.slice(kind.length + 1)), printable(value)]),
  );

/** Something on one host, or on none. */
export interface Place {
  host: string | undefined;
  step: string;
}

/** Puts what is the same on several hosts together. */
export const together = <Item extends Place>(items: Item[]): (Omit<Item, "host"> & { hosts: string[] })[] => {
  const groups = Map.groupBy(items, ({ host: _, ...rest }) => JSON.stringify(rest));
  return [...groups.values()].map((group) => {
    const { host: _, ...rest } = group[0] as Item;
    return { ...rest, hosts: group.flatMap(({ host }) => host ?? []) };
  });
};
