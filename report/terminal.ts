import { styleText } from "node:util";
import { placeText, reachText, verdictText } from "./headline.ts";
import { wayToKeep } from "./keep.ts";
import type { Report } from "./report.ts";

/** A report for a terminal. Colours follow NO_COLOR and whether the output is a terminal. */
export const terminal = (report: Report): string =>
  [
    styleText("bold", `${report.stack}: ${verdictText(report)}`),
    reachText(report),
    ...report.problems,
    ...report.reach.removed.map((step) => styleText("red", `removed: ${step}`)),
    ...saidLines(report),
    ...report.changes.flatMap((change) => [
      styleText("bold", `\n${change.operation} ${placeText(change)}${change.cause && ` (${change.cause})`}`),
      change.secret ? "  a secret value is new" : coloured(change.diff),
    ]),
    approvalText(report),
  ]
    .filter(Boolean)
    .join("\n");

/** What hosts were not seen, what was changed there by hand, and their warnings. */
export const saidLines = ({ unseen, drift, warnings }: Pick<Report, "unseen" | "drift" | "warnings">): string[] =>
  [
    ...unseen.map(({ host, why }) => `${host}: ${why}`),
    ...drift.flatMap((edit) => [
      styleText("yellow", `\nchanged by hand on ${placeText(edit)} (${edit.reason})`),
      ...Object.entries(edit.written).map(([path, time]) => `${path} was last written at ${time} (hints, no proof)`),
      coloured(edit.diff),
      keeping(edit.step),
    ]),
    ...warnings.map((warning) => styleText("yellow", `warning: ${placeText(warning)}: ${warning.text}`)),
  ].filter(Boolean);

const keeping = (step: string): string => {
  const keep = wayToKeep(step);
  return keep ? `to keep it: ${keep}` : "";
};

const approvalText = ({ approval }: Report): string =>
  "refused" in approval ? `\ncannot be approved: ${approval.refused}` : `\nto approve: ${approval.digest}`;

const colours = { "+": "green", "-": "red", "@": "cyan" } as const;

const coloured = (diff: string): string =>
  diff
    .split("\n")
    .map((line) => {
      const colour = colours[line.charAt(0) as keyof typeof colours];
      return colour ? styleText(colour, line) : line;
    })
    .join("\n");
