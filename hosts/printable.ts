/** What a host says ends in a command line and in terminals: one line of printable characters only, of bounded length. */
export const printable = (text: string): string => {
  const cleaned = text.replaceAll(/\s*\r?\n\s*/g, " ").replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
  return cleaned.length > 400 ? `${cleaned.slice(0, 399)}…` : cleaned;
};
