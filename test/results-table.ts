import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

/** The cells of a line of a table in Markdown, none of another line. */
const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

const isSame = (some: string[], others: string[]): boolean => some.every((cell, index) => cell === others[index]);

/**
 * Writes rows into the table of a page that has this heading. A row takes the place of an earlier one with the same first cells.
 *
 * @param first how many cells say what a row is about
 * @throws Error when the page has no such table
 */
export const keepRows = async (page: URL, heading: string[], rows: string[][], first: number): Promise<void> => {
  const lines = (await readFile(page, "utf8")).split("\n");
  const begin = lines.findIndex((line) => isSame(heading, cellsOf(line))) + 2;
  if (begin < 2) throw new Error(`${page}: no table with the heading ${heading.join(" | ")}`);
  const size = lines.slice(begin).findIndex((line) => !line.startsWith("|"));
  const kept = lines
    .slice(begin, begin + size)
    .filter((line) => !rows.some((row) => isSame(row.slice(0, first), cellsOf(line))));
  lines.splice(begin, size, ...kept, ...rows.map((row) => `| ${row.join(" | ")} |`));
  await writeFile(page, lines.join("\n"));
  await execa("biome", ["format", "--write", fileURLToPath(page)]);
};
