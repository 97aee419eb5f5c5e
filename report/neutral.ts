import { unprintable } from "../hosts/printable.ts";

/**
 * Names as running text of Markdown and of HTML alike: nothing in it is markup, a link or a mention. Words and `, ; : - ( )` stay
 * as they are, but for one of these at the beginning. An `@` stands in `<code>`, where neither GitHub nor GitLab looks for people.
 */
export const words = (text: string): string =>
  text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(unprintable, "?")
    .replaceAll(/[!-/:-@[-`{-~]/g, (mark, at) => (at && plainMarks.has(mark) ? mark : `&#${mark.charCodeAt(0)};`))
    .replaceAll("&#64;", "<code>@</code>");

const plainMarks = new Set(",;:-()");

/**
 * Text of a host as Markdown's inline code: in it nothing is a link, HTML or a mention. Longer runs of backticks than the text has
 * stand around it (CommonMark, 6.1).
 */
export const code = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(unprintable, "?").trim() || " ";
  const ticks = "`".repeat(longestRun(line) + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
};

/** Text as a fenced block, whose fence is longer than any in the text (CommonMark, 4.5). */
export const fenced = (text: string, language: "diff" | "text"): string => {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  const lines = text.split("\n").map((line) => line.replaceAll(unprintable, "?"));
  return [`${fence}${language}`, ...lines, fence].join("\n");
};

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
