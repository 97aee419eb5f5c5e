import { counted, reachText } from "../headline.ts";
import { sectionText, verdictLine } from "../markdown.ts";
import { code, words } from "../neutral.ts";
import type { Report } from "../report.ts";
import { type Section, sections } from "../sections.ts";
import { type Marker, markerLine } from "./marker.ts";
import { fitted, type Group, lengthOf, type Part, type Shown } from "./room.ts";

/** What a comment is made of. */
export interface Content {
  reports: Report[];
  /** Stacks whose preview has left no report. */
  missing: string[];
  marker: Omit<Marker, "stacks">;
  /** Characters that the service takes, e.g. 65,536. */
  limit: number;
  /** Where everything is that has no room, e.g. the CI run's page. */
  url: string | undefined;
}

/** Stacks in the order in which they want to be read. */
const order: Report["verdict"][] = ["failed", "unseen", "changes", "nothing"];

/** What is left out last: a stack's verdict and what is removed there. What is left out first: folds. */
const ranks = { verdict: 0, removed: 1, reach: 2, decision: 3, unchanged: 4, fold: 5 };

/** For `(12 sections are left out)` behind a verdict, and for the line that counts all that is left out. */
const spare = { verdict: 60, line: 400 };

/**
 * One comment on all stacks of a pull request: first what wants a decision, never folded; at its end a line for each stack with
 * nothing to do.
 *
 * Where there is no room, whole parts are left out and counted: nothing is ever cut.
 */
export const commentText = ({ reports, missing, marker, limit, url }: Content): string => {
  const stacks = reports.toSorted(
    (one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict) || one.stack.localeCompare(other.stack),
  );
  const groups = [
    ...missing.map(unreported),
    ...stacks.filter((report) => !isQuiet(report)).map(stackGroup),
    ...stacks.filter(isQuiet).map(quietGroup),
  ];
  const names = [...missing, ...stacks.map(({ stack }) => stack)];
  const first = [markerLine({ ...marker, stacks: lengthOf(names) < limit / 8 ? names : [] }), total(stacks, missing)];
  const last = foot(marker, url);
  const all = groups.flatMap(({ head, parts }) => [head, ...parts].map(({ text }) => text));
  const whole = joined([...first, ...all, last]);
  if (whole.length <= limit) return whole;

  const room = limit - lengthOf([...first, last]) - spare.line - (url?.length ?? 0);
  const shown = fitted(groups, room, spare.verdict);
  return joined([...first, leftOut(shown, limit, url), ...shown.flatMap(shownTexts), last]);
};

const joined = (texts: string[]): string => texts.filter(Boolean).join("\n\n").concat("\n");

/** Nothing to do, and nothing that somebody should read. */
const isQuiet = ({ verdict, warnings, drift }: Report): boolean =>
  verdict === "nothing" && !warnings.length && !drift.length;

const quietGroup = (report: Report): Group => ({
  head: { text: verdictLine(report).replace("###", "-"), rank: ranks.unchanged, noun: "stack" },
  parts: [],
});

const unreported = (stack: string): Group => ({
  head: {
    text: `### ${words(stack)}: no report\n\nIts preview ended before there was one. The run's log says why.`,
    rank: ranks.verdict,
    noun: "stack",
  },
  parts: [],
});

const stackGroup = (report: Report): Group => {
  const reach = words(reachText(report));
  return {
    head: { text: verdictLine(report), rank: ranks.verdict, noun: "stack" },
    parts: [
      ...(reach ? [{ text: reach, rank: ranks.reach, noun: "line on how far it reaches" }] : []),
      ...sections(report).map(sectionPart),
    ],
  };
};

const sectionPart = (section: Section): Part => {
  const text = sectionText(section);
  if (section.weight === "detail") return { text, rank: ranks.fold, noun: "fold" };
  return { text, rank: section.title === "Removed" ? ranks.removed : ranks.decision, noun: "section" };
};

/** The parts of a stack that are shown. Its verdict says how many sections are not. */
const shownTexts = ({ parts, left }: Shown): string[] => {
  const sectionsLeft = left.filter(({ rank }) => rank === ranks.removed || rank === ranks.decision).length;
  const [head, ...rest] = parts.map(({ text }) => text);
  if (!head || !sectionsLeft) return parts.map(({ text }) => text);
  return [`${head} (${counted(sectionsLeft, "section")} left out)`, ...rest];
};

/** `Left out, since a comment holds 65,536 characters: 31 folds, 2 sections. [All of it](<https://…>)`. */
const leftOut = (shown: Shown[], limit: number, url: string | undefined): string => {
  const nouns = Map.groupBy(
    shown.flatMap(({ left }) => left),
    ({ noun }) => noun,
  );
  const counts = [...nouns].map(([noun, { length }]) => counted(length, noun));
  const where = url ? `[All of it](<${url}>)` : "`npm run report -- --stack STACK` shows all of it";
  return `**Left out**, since a comment holds ${limit.toLocaleString("en")} characters: ${counts.join(", ")}. ${where}.`;
};

const told: Record<Report["verdict"], string> = {
  failed: "failed",
  unseen: "cannot be approved",
  changes: "with changes",
  nothing: "with nothing to do",
};

/** `**3 stacks: 1 failed, 2 with changes; 1 step would be removed**`; nothing for a single stack. */
const total = (reports: Report[], missing: string[]): string => {
  const count = reports.length + missing.length;
  if (!count) return "**No stack of this pull request has a preview.**";
  if (count === 1) return "";
  const byVerdict = order
    .map((verdict) => ({ verdict, count: reports.filter((report) => report.verdict === verdict).length }))
    .filter((each) => each.count)
    .map((each) => `${each.count} ${told[each.verdict]}`);
  const without = missing.length ? [`${missing.length} without a report`] : [];
  const removed = reports.reduce((sum, { reach }) => sum + reach.removed.length, 0);
  const removals = removed ? `; ${counted(removed, "step")} would be removed` : "";
  return `**${counted(count, "stack")}: ${[...without, ...byVerdict].join(", ")}${removals}**`;
};

const foot = ({ made, commit }: Content["marker"], url: string | undefined): string => {
  const run = url ? ` in [this run](<${url}>)` : "";
  return `<sub>Seen at ${made}${commit ? ` for commit ${code(commit)}` : ""}${run}</sub>`;
};
