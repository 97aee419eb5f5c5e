import { createHash } from "node:crypto";
import type { Kinds } from "./kinds.ts";

/** One section of a document: what one kind of the host tool makes true, with the fields that the kind declares. */
export type Section = { [Kind in keyof Kinds]: SectionOf<Kind> }[keyof Kinds];

interface SectionOf<Kind extends keyof Kinds> {
  /** The kind, a module of the host tool. */
  kind: Kind;
  /** What of that kind: a path, a unit, package names. */
  name: string;
  /** One-line values as strings, blocks as lists of lines or as text that ends with a newline; `undefined` is left out. */
  fields: Kinds[Kind];
}

/**
 * Sections as the text that the host tool reads and that `pulumi preview --diff` shows.
 *
 * Block lines are indented by a tab, so that no content can be taken for a section. And a tab is what YAML forbids: Pulumi
 * shows text that happens to be YAML as a tree, its lists run together, instead of its changed lines.
 *
 * @throws Error for a value that cannot be carried: a name or a one-line value with a line break.
 */
export const document = (...sections: Section[]): string => sections.map(sectionText).join("\n");

/** A document's digest, as `messenger-running` lists it: 16 hexadecimal characters. */
export const documentDigest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

const sectionText = ({ kind, name, fields }: Section): string => {
  const lines = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [fieldText(key, value)]));
  return [`# ${kind}: ${oneLine(name)}`, ...lines, ""].join("\n");
};

const fieldText = (key: string, value: string | string[]): string => {
  if (typeof value === "string" && !value.includes("\n")) return `${key}: ${value}`;
  const lines = typeof value === "string" ? value.replace(/\n+$/, "").split("\n") : value.map(oneLine);
  return [`${key}:`, ...lines.map((line) => (line ? `\t${line}` : ""))].join("\n");
};

const oneLine = (text: string): string => {
  if (text.includes("\n")) throw new Error(`Expected one line in a document, got ${JSON.stringify(text)}`);
  return text;
};
