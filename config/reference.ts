/** What docs/stack-file.yaml says about a key in the comment above it. */
export interface Annotated {
  /** What the key does, line by line. */
  purpose: string[];
  /** E.g. `default` → `hold`, as it is written. */
  tags: Map<string, string>;
}

const tag = /^(unit|one of|any of|required|default|optional)(?:: (.*))?$/;

const annotated = (comment: string[]): Annotated => {
  const tags = comment.flatMap((line) => {
    const [, name, text = ""] = tag.exec(line) ?? [];
    return name ? [[name, text] as const] : [];
  });
  return { purpose: comment.filter((line) => !tag.test(line)), tags: new Map(tags) };
};

/**
 * Reads the comments of the reference.
 *
 * @returns Every key that is on a line of its own, in block style, with the comment above it: `["public.port", …]`.
 */
export const annotatedKeys = (text: string): [string, Annotated][] => {
  const open: { indent: number; key: string }[] = [];
  let comment: string[] = [];
  return text.split("\n").flatMap((line): [string, Annotated][] => {
    const said = /^ *# (.*)$/.exec(line)?.[1];
    if (said !== undefined) comment.push(said);
    const [, before = "", key] =
      /^([ -]*)(?:jtel-chat:)?([A-Za-z]+):(?: |$)/.exec(said === undefined ? line : "") ?? [];
    if (said !== undefined) return [];
    const above = annotated(comment);
    comment = [];
    if (!key) return [];
    while ((open.at(-1)?.indent ?? -1) >= before.length) open.pop();
    open.push({ indent: before.length, key });
    const [, ...path] = open.map((each) => each.key);
    return path.length ? [[path.join("."), above]] : [];
  });
};
