/** A part of a comment that is shown whole or not at all. */
export interface Part {
  text: string;
  /** What is left out first: a part with a higher rank than others. */
  rank: number;
  /** What it is called where left-out ones are counted, e.g. `fold`. */
  noun: string;
}

/** All parts of one stack. */
export interface Group {
  /** Without it none of the others is shown. */
  head: Part;
  parts: Part[];
}

/** What of a group is shown. */
export interface Shown extends Group {
  /** What is not. */
  left: Part[];
}

/** Between two parts stands an empty line. */
const between = "\n\n".length;

export const lengthOf = (texts: string[]): number => texts.reduce((sum, text) => sum + text.length + between, 0);

/**
 * What has room in so many characters: parts of the lowest rank first, in their order. A part that is too long is left out, and
 * shorter ones behind it are not. Every head has `spare` characters behind it, for what is said of left-out parts.
 */
export const fitted = (groups: Group[], room: number, spare: number): Shown[] => {
  const kept = new Set<Part>();
  let free = room;
  const keep = (part: Part, length: number): void => {
    if (length > free) return;
    free -= length;
    kept.add(part);
  };
  const byRank = groups
    .flatMap(({ head, parts }) => [
      { part: head, head, more: spare },
      ...parts.map((part) => ({ part, head, more: 0 })),
    ])
    .toSorted((one, other) => one.part.rank - other.part.rank);
  for (const { part, head, more } of byRank)
    if (part === head || kept.has(head)) keep(part, part.text.length + between + more);
  return groups.map(({ head, parts }) => {
    const all = [head, ...parts];
    return { head, parts: all.filter((part) => kept.has(part)), left: all.filter((part) => !kept.has(part)) };
  });
};
