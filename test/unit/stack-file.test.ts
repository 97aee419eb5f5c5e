import { readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { expect, test } from "vitest";
import type { z } from "zod";
import { check } from "../../config/check.ts";
import { configurationPage } from "../../config/configuration-page.ts";
import { stackFileSchema } from "../../config/json-schema.ts";
import { annotatedKeys } from "../../config/reference.ts";
import { schema } from "../../config/schema.ts";

const textOf = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

const reference = "docs/stack-file.yaml";

const { config } = parseYaml(textOf(reference)) as { config: Record<string, unknown> };

/** As the language host hands them over: without the prefix, and with the secrets decrypted. */
const values = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [key.replace("jtel-chat:", ""), decrypted(value)]));

const decrypted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(decrypted);
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return value.secure;
  return values(value as Record<string, unknown>);
};

/** What the schema says about a key. */
interface SchemaKey {
  type: z.core.$ZodType;
  need: "required" | "optional" | "default";
  default?: unknown;
  /** The values of an enumeration, or of a list of such. */
  choices?: unknown[];
}

const defOf = (type: z.core.$ZodType) => (type as z.core.$ZodTypes)._zod.def;

/** A key's type, without what says that the key may be missing. */
const bare = (type: z.core.$ZodType): z.core.$ZodType => {
  const def = defOf(type);
  return def.type === "default" || def.type === "prefault" || def.type === "optional" ? bare(def.innerType) : type;
};

const need = (type: z.core.$ZodType): Pick<SchemaKey, "need" | "default"> => {
  const def = defOf(type);
  if (def.type === "default" || def.type === "prefault") return { need: "default", default: def.defaultValue };
  return { need: def.type === "optional" ? "optional" : "required" };
};

const choices = (type: z.core.$ZodType): unknown[] | undefined => {
  const def = defOf(type);
  if (def.type === "enum") return Object.values(def.entries);
  if (def.type === "literal") return def.values;
  return def.type === "array" ? choices(bare(def.element)) : undefined;
};

/** Every key below a type with its path, `loadBalancers.jump.port`: through lists and alternatives. */
const schemaKeys = (type: z.core.$ZodType, path: string[] = []): [string, SchemaKey][] => {
  const def = defOf(bare(type));
  if (def.type === "array") return schemaKeys(def.element, path);
  if (def.type === "union") return def.options.flatMap((option) => schemaKeys(option, path));
  if (def.type !== "object") return [];
  return Object.entries(def.shape).flatMap(([key, value]) => {
    const known = choices(bare(value));
    const own: SchemaKey = { type: bare(value), ...need(value), ...(known && { choices: known }) };
    return [[[...path, key].join("."), own], ...schemaKeys(value, [...path, key])] as [string, SchemaKey][];
  });
};

/** A key of several alternatives is one key: it takes the values of all, and has the default that one of them has. */
const merged = (keys: [string, SchemaKey][]): Map<string, SchemaKey> => {
  const result = new Map<string, SchemaKey>();
  for (const [path, key] of keys) {
    const before = result.get(path);
    const both = before && key.choices && { choices: [...(before.choices ?? []), ...key.choices] };
    result.set(path, { ...key, ...before, ...both });
  }
  return result;
};

const wanted = merged(schemaKeys(schema));

const keys = annotatedKeys(textOf(reference));
const comments = new Map(keys);

/** The value of a key; of a list's elements the first one's. */
const exampleOf = (path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => {
    const [first] = [value].flat();
    return (first as Record<string, unknown> | undefined)?.[key];
  }, values(config));

test("the reference has the keys of the schema, each once, in the same order, and no others", () => {
  expect(keys.map(([path]) => path)).toEqual([...wanted.keys()]);
});

test("the reference is a stack file", () => {
  expect(check(values(config))).toHaveProperty("deployment");
});

test.each([...wanted])("%s says what it is for, and what counts without it", (path, key) => {
  const { purpose = [], tags = new Map<string, string>() } = comments.get(path) ?? {};
  expect(purpose.join(" ")).toMatch(/^[A-Z].*\S/);
  expect([...tags.keys()].filter((name) => ["required", "optional", "default"].includes(name))).toEqual([key.need]);
  if (key.need === "default") expect(parseYaml(tags.get("default") ?? "")).toEqual(key.default);
  if (key.need === "optional") expect(tags.get("optional")).not.toBe("");
});

test.each([...wanted].filter(([, { choices }]) => choices))("%s names the values that it takes", (path, key) => {
  const name = defOf(key.type).type === "array" ? "any of" : "one of";
  expect(comments.get(path)?.tags.get(name)?.split(", ")).toEqual(key.choices);
});

const accepts = (type: z.core.$ZodType, value: unknown) => (type as z.ZodType).safeParse(value).success;

/**
 * Tells whether a key is a number or a time. Times are texts with a unit of HAProxy's: their pattern takes `500ms`, and not
 * `500`, which a name's pattern takes, too.
 */
const isQuantity = ({ type }: SchemaKey): boolean =>
  defOf(type).type === "number" || (accepts(type, "500ms") && !accepts(type, "500"));

test.each([...wanted].filter(([, key]) => isQuantity(key)))("%s names its unit", (path) => {
  expect(comments.get(path)?.tags.get("unit")).toMatch(/\S/);
});

test.each([...wanted].filter(([, key]) => key.need === "default"))(
  "%s has an example that differs from the default",
  (path, key) => {
    expect(exampleOf(path)).toBeDefined();
    expect(exampleOf(path)).not.toEqual(key.default);
  },
);

test("README.md names the one file that is copied for a new customer, and that is a stack file", () => {
  const copied = [...textOf("README.md").matchAll(/^cp (\S+) Pulumi\.[a-z]+\.yaml\b/gm)].map(([, file = ""]) => file);
  expect(copied).toEqual([expect.stringMatching(/^examples\/.*\.yaml$/)]);
  const { config: given } = parseYaml(textOf(copied[0] ?? "")) as { config: Record<string, object> };
  const secrets = { database: { ...given["jtel-chat:database"], password: "p" } };
  const tyntec = given["jtel-chat:tyntec"] && { tyntec: { ...given["jtel-chat:tyntec"], apiKey: "k" } };
  expect(check({ ...values(given), ...secrets, ...tyntec })).toHaveProperty("deployment");
});

test("times are recognized as quantities, names are not", () => {
  const quantities = [...wanted].filter(([, key]) => isQuantity(key)).map(([path]) => path);
  expect(quantities).toContain("haproxy.timeout.clientFin");
  expect(quantities).toContain("public.port");
  expect(quantities).not.toContain("database.name");
});

test("the JSON Schema for editors is made from schema and reference as they are now", () => {
  expect(JSON.parse(textOf("docs/stack-file.schema.json")), "run: npm run schema").toEqual(
    stackFileSchema(textOf(reference)),
  );
});

/** A page without the blanks that align its tables. */
const unaligned = (page: string): string => page.replaceAll(/ *\| */g, "|").replaceAll(/-{3,}/g, "---");

test("docs/configuration.md is made from schema and reference as they are now, with a row for each key", () => {
  const page = textOf("docs/configuration.md");
  expect(unaligned(page), "run: npm run schema").toBe(unaligned(configurationPage(textOf(reference))));
  const rows = new Map(
    [...page.matchAll(/^\| `([A-Za-z.]+)` +\| (.*) \|$/gm)].map(([, key = "", rest = ""]) => [key, rest]),
  );
  expect([...rows.keys()]).toEqual([...wanted.keys()]);
  expect(rows.get("public.scheme")).toMatch(/^`https` or `http` +\| required +\| `https` +\| The protocol of chat\./);
  expect(rows.get("loadBalancers.jump.port")).toMatch(/^number: TCP port.*\| `22` +\|/);
  expect(rows.get("firewall.sources")).toMatch(/^list of text or `any` +\| none: chat servers reach Hazelcast/);
  expect(rows.get("tyntec.apiKey")).toMatch(/^text, encrypted +\| required +\| +\|/);
});
