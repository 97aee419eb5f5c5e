/**
 * Text of a host as Markdown's inline code: in it nothing is a link, HTML or a mention. Longer runs of backticks than the text has
 * stand around it (CommonMark, 6.1).
 */
export const code = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim() || " ";
  const ticks = "`".repeat(longestRun(line) + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
};

/** Text as a fenced block, whose fence is longer than any in the text (CommonMark, 4.5). */
export const fenced = (text: string, language: "diff" | "text"): string => {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
};

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
