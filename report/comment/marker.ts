import { z } from "zod";

const markerSchema = z.object({
  project: z.string(),
  stacks: z.array(z.string()),
  /** When the newest of the reports was made. */
  made: z.iso.datetime(),
  commit: z.string(),
  /** The CI run's number, which a later run's exceeds; 0 outside CI. */
  run: z.int().min(0),
});

/** What a comment says of itself, unseen by who reads it: the same comment is found by it again. */
export type Marker = z.output<typeof markerSchema>;

/** The comment's first line, `<!-- jtel-chat {"project":"jtel-chat",…} -->`. No value can end it. */
export const markerLine = (marker: Marker): string => {
  const json = JSON.stringify(marker).replaceAll(
    /[<>@]|[^ -~]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `<!-- jtel-chat ${json} -->`;
};

/** What the first line says; undefined for another comment. */
export const markerOf = (body: string): Marker | undefined => {
  const json = /^<!-- jtel-chat (\{.*\}) -->/.exec(body)?.[1];
  if (!json) return undefined;
  try {
    return markerSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
};

/**
 * Whether the first of two comments is of a later run. The run's number decides, since an old run that is started again looks
 * later than a newer one; within a run, or without numbers, the time decides.
 */
export const isNewer = (one: Marker, other: Marker): boolean =>
  one.run && other.run && one.run !== other.run ? one.run > other.run : one.made > other.made;
