import { z } from "zod";
import { type Annotated, annotatedKeys } from "./reference.ts";
import { schema, secretKeys } from "./schema.ts";

/** A part of a JSON Schema, as far as it is read or changed here. */
export interface Part {
  type?: string;
  properties?: Record<string, Part>;
  items?: Part;
  anyOf?: Part[];
  oneOf?: Part[];
  [key: string]: unknown;
}

/** A value that Pulumi has encrypted. */
const encrypted = { type: "object", properties: { secure: { type: "string" } }, required: ["secure"] };

/**
 * The JSON Schema of a stack file, for editors: names, types, defaults and limits from the zod schema, descriptions from the
 * comments of the reference.
 *
 * What values must not be together is not in it: `npm run validate` says that.
 *
 * @param reference The text of docs/stack-file.yaml.
 */
export const stackFileSchema = (reference: string): Part => {
  const comments = new Map(annotatedKeys(reference));
  const {
    $schema,
    properties = {},
    required,
  } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Part;
  const prefixed = Object.entries(properties).map(([key, part]) => [
    `jtel-chat:${key}`,
    described(part, key, comments),
  ]);
  return {
    $schema,
    title: "A stack of jtel-chat",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(prefixed),
        required: (required as string[]).map((key) => `jtel-chat:${key}`),
      },
    },
    required: ["config"],
  };
};

/** A part and all below it with what the reference says about them. A secret is encrypted, or plain while it is being written. */
const described = (part: Part, path: string, comments: Map<string, Annotated>): Part => {
  const description = descriptionOf(comments.get(path));
  const below = (each: Part): Part => inside(each, path, comments);
  const whole = { ...inside(part, path, comments), ...(description && { description }) };
  return (secretKeys as readonly string[]).includes(path) ? { description, anyOf: [below(part), encrypted] } : whole;
};

const inside = (part: Part, path: string, comments: Map<string, Annotated>): Part => ({
  ...part,
  ...(part.properties && {
    properties: Object.fromEntries(
      Object.entries(part.properties).map(([key, each]) => [key, described(each, `${path}.${key}`, comments)]),
    ),
  }),
  ...(part.items && { items: inside(part.items, path, comments) }),
  ...(part.anyOf && { anyOf: part.anyOf.map((each) => inside(each, path, comments)) }),
  ...(part.oneOf && { oneOf: part.oneOf.map((each) => inside(each, path, comments)) }),
});

const descriptionOf = (said: Annotated | undefined): string => {
  const unit = said?.tags.get("unit");
  return [...(said?.purpose ?? []), ...(unit ? [`Unit: ${unit}.`] : [])].join("\n");
};
