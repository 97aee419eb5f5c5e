import type { SeenHost } from "../hosts/look/look-at-host.ts";
import { printable, printableLines } from "../hosts/printable.ts";
import { lineDiff } from "./line-diff.ts";
import type { Previewed, PreviewStep } from "./preview.ts";
import type { Report } from "./report.ts";
import { factsOf, type Place, said, together } from "./seen.ts";
import { concernOf } from "./step-name.ts";

/** What a report says of itself. */
export type Heading = Pick<Report, "project" | "stack" | "made" | "run">;

/** The report on one preview. */
export const makeReport = (previewed: Previewed, heading: Heading): Report => {
  const hosts = previewed.seen?.hosts ?? [];
  const hostsSaid = said(hosts, previewed.seen?.prerequisites);
  const { seen, errors } = previewed;
  const unsaid = seen || errors.length ? [] : ["the preview has ended without saying what it has seen. Repeat it"];
  const problems = unique([...errors.flatMap(problemLines), ...unsaid]);
  const changed = previewed.steps.flatMap((step) => changeOf(step, hosts)).sort(byHost(hosts));
  const changes = together(changed.filter(({ healed }) => !healed).map(({ healed: _, ...change }) => change));
  const verdict = problems.length
    ? "failed"
    : hostsSaid.unseen.length
      ? "unseen"
      : changed.length || hostsSaid.drift.length
        ? "changes"
        : "nothing";
  return {
    ...{ format: 1, ...heading, verdict, reach: reach(changed, hosts), problems, ...hostsSaid, changes },
    ...(previewed.seen?.observer && { observer: previewed.seen.observer }),
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
const changeOf = ({ op, urn, oldState, newState, diffReasons = [] }: PreviewStep, hosts: SeenHost[]) => {
  const operation = operations[op as keyof typeof operations];
  const state = newState ?? oldState;
  if (!operation || !state?.type.startsWith("command:")) return [];
  const name = urn.split("::").at(-1) ?? urn;
  const concern = concernOf(name, state.inputs);
  const host = concern && name.slice(0, -concern.length - 1);
  const [before, after] = [oldState, newState].map((each) => each?.inputs?.stdin);
  const isSecret = [before, after].includes("[secret]");
  const answer = hosts.find((each) => each.name === host)?.answers[concern ?? ""];
  const changedDocument = before !== after || diffReasons.includes("stdin");
  // A drifted step runs again with the same document: that is told as drift.
  const healed = Boolean(answer?.drifted) && !changedDocument;
  const newTool = concern === "tool" ? toolChange(String(before), String(after)) : "";
  const cause = changedDocument || healed || operation === "delete" ? newTool : printable(answer?.reason ?? "");
  const diff = isSecret || newTool ? "" : lineDiff(String(before ?? ""), String(after ?? ""));
  const secret = isSecret && changedDocument && operation !== "delete";
  return [{ host, step: concern ?? name, operation, cause, diff: printableLines(diff), secret, healed }];
};

/** `host tool 0.1.0 (8ec20609) → 0.2.0 (c13ca6a8)`, where a document of the step `tool` changes in nothing else; else empty. */
const toolChange = (before: string, after: string): string => {
  const version = /^version: (.*)\ndigest: ([0-9a-f]{8}).*$/m;
  const [[, ...old] = [], [, ...now] = []] = [version.exec(before) ?? [], version.exec(after) ?? []];
  if (!old.length || before.replace(version, "") !== after.replace(version, "")) return "";
  return `host tool ${old[0]} (${old[1]}) → ${now[0]} (${now[1]})`;
};

const reach = (changed: ReturnType<typeof changeOf>, hosts: SeenHost[]): Report["reach"] => ({
  hosts: unique(changed.flatMap(({ host }) => host ?? [])),
  // A step that only follows a healed one looks again, and restarts nothing by itself.
  restarts: hostsOf(
    changed.filter(({ diff, healed }) => diff || healed),
    "messenger-running",
  ),
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

const unique = <Item>(items: Item[]): Item[] => [...new Set(items)];
