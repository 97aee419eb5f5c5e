import { readFileSync } from "node:fs";
import Mustache from "mustache";

const root = new URL("../templates/", import.meta.url);

/** The text of a file below `templates/`, named by its place on the host. */
export const templateText = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** A template with its values filled in, character by character: nothing is HTML-escaped, what a format needs the caller escapes. */
export const fill = (path: string, values: object): string =>
  Mustache.render(templateText(path), values, {}, { escape: String });
