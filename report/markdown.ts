import { reachText, verdictText } from "./headline.ts";
import type { Report } from "./report.ts";
import { type Section, sections } from "./sections.ts";

/** A whole report as Markdown: the verdict first, then what wants a decision, then folds. */
export const markdown = (report: Report): string =>
  [heading(report), ...sections(report).map(sectionText)].join("\n\n").concat("\n");

/** The first lines: `### acme: changes` and how far an `up` reaches. */
const heading = (report: Report): string =>
  [`### ${report.stack}: ${verdictText(report)}`, reachText(report)].filter(Boolean).join("\n\n");

/** One section, folded where it is a detail. */
const sectionText = ({ title, body, weight }: Section): string =>
  weight === "decision" ? `**${title}**\n\n${body}` : `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
