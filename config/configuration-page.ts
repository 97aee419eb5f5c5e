import { load as parseYaml } from "js-yaml";
import { type Part, stackFileSchema } from "./json-schema.ts";
import { type Annotated, annotatedKeys } from "./reference.ts";
import { secretKeys } from "./schema.ts";

const columns = ["key", "type", "default", "example", "what it does"];

/**
 * docs/configuration.md: every key of a stack file in a table, a section for each key of the top. Types and limits are those of the
 * schema, all other words those of the reference.
 *
 * @param reference The text of docs/stack-file.yaml.
 */
export const configurationPage = (reference: string): string => {
  const { config } = parseYaml(reference) as { config: Record<string, unknown> };
  const { properties } = stackFileSchema(reference).properties?.config ?? {};
  const rows = annotatedKeys(reference).map(([path, said]) => {
    const keys = path.split(".");
    const whole = [`jtel-chat:${keys[0]}`, ...keys.slice(1)];
    const parts = whole.reduce((found, key) => found.flatMap((part) => below(part, key)), [{ properties }] as Part[]);
    const example = whole.reduce(
      (value: unknown, key) => ([value].flat()[0] as Record<string, unknown>)?.[key],
      config,
    );
    return {
      top: keys[0] ?? "",
      cells: [code(path), typeOf(path, parts, said), withoutIt(said), shown(example), purpose(said)],
    };
  });
  const sections = [...Map.groupBy(rows, ({ top }) => top)].flatMap(([top, own]) => [
    ...["", `## ${top}`, "", line(columns), line(columns.map(() => "---"))],
    ...own.map(({ cells }) => line(cells)),
  ]);
  return `${[...head, ...sections].join("\n")}\n`;
};

const head = [
  "# Configuration",
  "",
  "Every key of a stack file, `Pulumi.<customer>.yaml`, below `jtel-chat:`. `npm run schema` writes this page from the schema and from [stack-file.yaml](stack-file.yaml), which shows the same keys as a file. A stack file usually needs only the required ones. A key with a dot is inside the one before the dot; in a list, each element has it.",
];

/** The parts that a key has below one, through lists and alternatives. */
const below = (part: Part, key: string): Part[] => {
  const inner = [...(part.items ? [part.items] : []), ...(part.anyOf ?? []), ...(part.oneOf ?? [])];
  const own = part.properties?.[key];
  return [...(own ? [own] : []), ...inner.flatMap((each) => below(each, key))];
};

const typeOf = (path: string, parts: Part[], { tags }: Annotated): string => {
  if ((secretKeys as readonly string[]).includes(path)) return "text, encrypted";
  const unit = tags.get("unit");
  return `${[...new Set(parts.flatMap(words))].join(" or ")}${unit ? `: ${unit}` : ""}`;
};

const words = (part: Part): string[] => {
  const alternatives = [...(part.anyOf ?? []), ...(part.oneOf ?? [])];
  if (alternatives.length) return alternatives.flatMap(words);
  if (part.const !== undefined) return [code(String(part.const))];
  if (Array.isArray(part.enum)) return part.enum.map((each) => code(String(each)));
  if (part.items) return [`list of ${[...new Set(words(part.items))].join(" or ")}`];
  return [
    { string: "text", object: "section", boolean: "true or false", integer: "number" }[part.type ?? ""] ??
      part.type ??
      "text",
  ];
};

const withoutIt = ({ tags }: Annotated): string => {
  const [standard, optional, required] = ["default", "optional", "required"].map((name) => tags.get(name));
  if (standard !== undefined) return code(standard);
  if (optional !== undefined) return `none: ${optional}`;
  return required ? `required: ${required}` : "required";
};

/** An example on one line; a section's are at its keys. */
const shown = (value: unknown): string => {
  if (Array.isArray(value) && typeof value[0] !== "object") return code(JSON.stringify(value));
  if (typeof value === "object" || value === undefined) return "";
  const [first = "", ...more] = String(value).split("\n");
  return code(more.length ? `${first} …` : first);
};

const purpose = ({ purpose: lines }: Annotated): string => lines.map((each) => each.trim()).join(" ");

const code = (text: string): string => `\`${text}\``;

/** A line of a table, in whose cells no bar ends them. */
const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
