/** One thing that is wrong in a stack file. */
export interface Problem {
  /** Path below `jtel-chat:`, e.g. `chatServers[1].address`. */
  key: string;
  /** What is wrong and what to do, starting in lower case: it follows the key. */
  text: string;
}

/** All problems as one text, in the order of the file's top-level keys; `stackFile` is the file's text. */
export const problemText = (problems: Problem[], fileName: string, stackFile: string): string => {
  const line = ({ key }: Problem) => {
    const at = stackFile.indexOf(`jtel-chat:${key.split(/[.[]/)[0]}:`);
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  };
  const sorted = problems.toSorted((one, other) => Math.sign(line(one) - line(other)) || 0);
  return sorted.map(({ key, text }) => `${fileName}: jtel-chat:${key}: ${text}`).join("\n");
};

/** `["chatServers", 1, "address"]` → `chatServers[1].address`. */
export const keyPath = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index ? "." : ""}${String(part)}`)).join("");
