import { reachText, verdictText } from "./headline.ts";
import { words } from "./neutral.ts";
import type { Report } from "./report.ts";
import { type Section, sections } from "./sections.ts";

/** A whole report as Markdown: the verdict first, then what wants a decision, then folds. */
export const markdown = (report: Report): string =>
  [verdictLine(report), words(reachText(report)), ...sections(report).map(sectionText)]
    .filter(Boolean)
    .join("\n\n")
    .concat("\n");

/** The first line: `### acme: changes`. */
export const verdictLine = (report: Report): string => `### ${words(`${report.stack}: ${verdictText(report)}`)}`;

/** One section, folded where it is a detail. */
export const sectionText = ({ title, body, weight }: Section): string =>
  weight === "decision"
    ? `**${words(title)}**\n\n${body}`
    : `<details><summary>${words(title)}</summary>\n\n${body}\n\n</details>`;
