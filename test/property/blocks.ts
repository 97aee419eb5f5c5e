/** A line of an edited file. ours: it is in a marked block and is none of the owner's lines that the block carries. */
export interface EditedLine {
  text: string;
  ours: boolean;
  carried: boolean;
}

/**
 * An edited file as a person reads it who knows nothing of the host tool: what stands between markers is ours,
 * except the lines behind `#~`. Bytes are characters (latin1).
 */
export const linesOf = (config: Buffer): EditedLine[] => {
  let inside = false;
  return (config.toString("latin1").match(/[^\n]*\n|[^\n]+/g) ?? []).map((text) => {
    const begins = /^\s*# BEGIN jtel-chat \(/.test(text);
    const ends = /^\s*# END jtel-chat\s*$/.test(text);
    const carried = inside && text.startsWith("#~");
    const ours = (begins || inside) && !carried;
    inside = begins || (inside && !ends);
    return { text, ours, carried };
  });
};

/** The owner's text of such lines. The end of line that a block had to add goes with it, unless something follows. */
export const ownersText = (lines: EditedLine[]): Buffer => {
  const last = lines.findLastIndex(({ ours }) => !ours);
  const added = lines.some(
    ({ text, ours }, index) =>
      ours && /without a newline\s*$/.test(text) && lines.slice(index + 1, last + 1).every(({ carried }) => carried),
  );
  const owners = lines.filter(({ ours }) => !ours);
  const text = owners.map(({ text, carried }) => (carried ? text.replace(/^#~ ?/, "") : text)).join("");
  return Buffer.from(added ? text.replace(/\r?\n$/, "") : text, "latin1");
};
