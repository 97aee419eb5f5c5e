import type { SeenHost } from "../hosts/look/look-at-host.ts";
import { printable } from "../hosts/printable.ts";
import { lineDiff } from "./line-diff.ts";
import type { Previewed, PreviewStep } from "./preview.ts";
import type { Report } from "./report.ts";
import { concernOf } from "./step-name.ts";

/** What a report says of itself. */
export type Heading = Pick<Report, "project" | "stack" | "made" | "run">;

/** A step on one host, before equal ones are put together. */
interface Place {
  host: string | undefined;
  step: string;
}

/** The report on one preview. */
export const makeReport = (previewed: Previewed, heading: Heading): Report => {
  const hosts = previewed.seen?.hosts ?? [];
  const unseen = hosts.flatMap(({ name, unseen: why }) => (why ? [{ host: name, why: printable(why) }] : []));
  const seenHosts = hosts.map(({ name, answers }) => ({ name, steps: Object.keys(answers) }));
  const problems = unique(previewed.errors.flatMap(problemLines));
  const changed = previewed.steps.flatMap((step) => changeOf(step, hosts)).sort(byHost(hosts));
  const changes = together(changed.filter(({ healed }) => !healed).map(({ healed: _, ...change }) => change));
  const drift = together(hosts.flatMap(driftOf));
  const warnings = together(hosts.flatMap(warningsOf));
  const verdict = problems.length ? "failed" : unseen.length ? "unseen" : changed.length ? "changes" : "nothing";
  return {
    ...{
      format: 1,
      ...heading,
      ...(previewed.seen?.observer && { observer: previewed.seen.observer }),
      verdict,
      reach: reach(changed, hosts),
      hosts: seenHosts,
      problems,
      unseen,
      warnings,
      drift,
      changes,
    },
    approval: previewed.seen?.approval ?? { refused: "the preview has ended before the hosts were seen" },
  };
};

/** In the order of the program, whoever has answered first. Hosts that are no longer in the stack come last. */
const byHost = (hosts: SeenHost[]) => {
  const rank = ({ host }: Place) => hosts.findIndex(({ name }) => name === host) + 1 || hosts.length + 1;
  return (one: Place, other: Place) => rank(one) - rank(other) || one.step.localeCompare(other.step);
};

/** The engine prefixes each line of the program's; the first one says that nothing was changed. */
const problemLines = (error: string): string[] =>
  error
    .replace(/^error: /, "")
    .split("\n")
    .map((line) => printable(line.trimEnd()))
    .filter((line) => line && line !== "nothing was changed:");

const operations = { create: "create", update: "update", delete: "delete", replace: "replace" } as const;

/** What the engine would do to one step; nothing for what is no step of ours, e.g. a component. */
const changeOf = ({ op, urn, oldState, newState }: PreviewStep, hosts: SeenHost[]) => {
  const operation = operations[op as keyof typeof operations];
  const state = newState ?? oldState;
  if (!operation || !state?.type.startsWith("command:")) return [];
  const name = urn.split("::").at(-1) ?? urn;
  const concern = concernOf(name, state.inputs);
  const host = concern && name.slice(0, -concern.length - 1);
  const [before, after] = [oldState, newState].map((each) => each?.inputs?.stdin);
  const secret = [before, after].includes("[secret]");
  const answer = hosts.find((each) => each.name === host)?.answers[concern ?? ""];
  const changedDocument = before !== after;
  // A drifted step runs again with the same document: that is told as drift.
  const healed = Boolean(answer?.drifted) && !changedDocument;
  const cause = changedDocument || healed || operation === "delete" ? "" : printable(answer?.reason ?? "");
  const diff = secret ? "" : lineDiff(String(before ?? ""), String(after ?? ""));
  return [{ host, step: concern ?? name, operation, cause, diff: printableLines(diff), secret, healed }];
};

const driftOf = ({ name, answers }: SeenHost) =>
  Object.entries(answers)
    .filter(([, { drifted }]) => drifted)
    .map(([step, { reason, diff, facts }]) => ({
      ...{ host: name, step, reason: printable(reason), diff: printableLines(diff) },
      written: factsOf(facts, "written"),
    }));

const warningsOf = ({ name, answers }: SeenHost) =>
  Object.entries(answers).flatMap(([step, { warnings }]) =>
    warnings.map((text) => ({ host: name, step, text: printable(text) })),
  );

const reach = (changed: ReturnType<typeof changeOf>, hosts: SeenHost[]): Report["reach"] => ({
  hosts: unique(changed.flatMap(({ host }) => host ?? [])),
  restarts: hostsOf(changed, "messenger-running"),
  reloads: hostsOf(changed, "haproxy"),
  sessions: Object.fromEntries(
    hosts.flatMap(({ name, answers }) =>
      Object.values(factsOf(answers["messenger-running"]?.facts ?? {}, "sessions")).map((count) => [
        name,
        Number(count),
      ]),
    ),
  ),
  removed: changed
    .filter(({ operation }) => operation === "delete" || operation === "replace")
    .map(({ host, step }) => (host ? `${host}-${step}` : step)),
});

const hostsOf = (changed: ReturnType<typeof changeOf>, concern: string): string[] =>
  unique(changed.filter(({ step }) => step === concern).flatMap(({ host }) => host ?? []));

/** Facts of one kind by their subject: `written:/etc/x` becomes `/etc/x`. */
const factsOf = (facts: Record<string, string>, kind: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(facts)
      .filter(([key]) => key.startsWith(`${kind}:`))
      .map(([key, value]) => [printable(key.slice(kind.length + 1)), printable(value)]),
  );

/** Puts what is the same on several hosts together. */
const together = <Item extends Place>(items: Item[]): (Omit<Item, "host"> & { hosts: string[] })[] => {
  const groups = Map.groupBy(items, ({ host: _, ...rest }) => JSON.stringify(rest));
  return [...groups.values()].map((group) => {
    const { host: _, ...rest } = group[0] as Item;
    return { ...rest, hosts: group.flatMap(({ host }) => host ?? []) };
  });
};

const printableLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => printable(line.replaceAll("\t", "    ")))
    .join("\n");

const unique = <Item>(items: Item[]): Item[] => [...new Set(items)];
