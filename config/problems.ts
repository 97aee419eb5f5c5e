/** One error in a stack file. */
export interface Problem {
  /** Path of the key below `jtel-chat:`, e.g. `chatServers[1].address`. */
  key: string;
  /**
   * Reason and remedy, beginning with a lower-case letter because it follows the key, e.g. `is unknown. Check the
   * spelling, or remove it`.
   */
  text: string;
}

/**
 * Formats problems as one text with a line for each, e.g.
 * `Pulumi.acme.yaml: jtel-chat:topolgy: is unknown. Check the spelling, or remove it`.
 *
 * They are sorted by the place of their top-level key in the stack file. Keys that the file lacks come last.
 *
 * @param stackFile The text of the stack file.
 */
export const problemText = (problems: Problem[], fileName: string, stackFile: string): string => {
  const line = ({ key }: Problem) => {
    const at = stackFile.indexOf(`jtel-chat:${key.split(/[.[]/)[0]}:`);
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  };
  const sorted = problems.toSorted((one, other) => Math.sign(line(one) - line(other)) || 0);
  return sorted.map(({ key, text }) => `${fileName}: jtel-chat:${key}: ${text}`).join("\n");
};

/** Formats a path: `["chatServers", 1, "address"]` gives `chatServers[1].address`. */
export const keyPath = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index ? "." : ""}${String(part)}`)).join("");
