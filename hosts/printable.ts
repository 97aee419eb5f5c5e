/** Characters that a terminal or a page would not show as they are: controls, also those that turn the direction of writing. */
export const unprintable = /[^\p{L}\p{N}\p{P}\p{S} ]/gu;

/** What a host says ends in a command line and in terminals: one line of printable characters only, of bounded length. */
export const printable = (text: string): string => {
  const cleaned = text.replaceAll(/\s*\r?\n\s*/g, " ").replaceAll(unprintable, "?");
  return cleaned.length > 400 ? `${cleaned.slice(0, 399)}…` : cleaned;
};

/** Lines of a diff with printable characters only, whole: a change may be at the end of a long one. A tab becomes blanks. */
export const printableLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.replaceAll("\t", "    ").replaceAll(unprintable, "?"))
    .join("\n");
