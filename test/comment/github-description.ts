import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ValidateFunction } from "ajv";

interface Operation {
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { examples: Record<string, { value: unknown }> };
}

/** GitHub's own description of its API, as JSON (OpenAPI 3.0). */
const description: Description = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve("@octokit/openapi/generated/api.github.com.json"), "utf8"),
);

const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, allErrors: true });
ajv.addSchema(description, "github");

/** An example that the description gives, e.g. `issue-comment`. */
export const example = (name: string): Record<string, unknown> =>
  structuredClone(description.components.examples[name]?.value) as Record<string, unknown>;

/** What is wrong with an exchange, by the description: a path or method that is not in it, a body or a status of another form. */
export const problemsOf = (exchange: {
  method: string;
  path: string;
  body: unknown;
  status: number;
  answer: unknown;
}): string[] => {
  const { method, path, body, status, answer } = exchange;
  const template = Object.keys(description.paths).find((each) => templatePattern(each).test(path));
  const operation = template && description.paths[template]?.[method.toLowerCase()];
  if (!operation) return [`${method} ${path}: is not in the description`];
  const place = ["paths", template, method.toLowerCase()];
  const response = operation.responses[status];
  return [
    ...(operation.requestBody ? wrong([...place, "requestBody", "content", "application/json", "schema"], body) : []),
    ...(response ? [] : [`${method} ${path}: answers with ${status}, which is not in the description`]),
    ...(response?.content
      ? wrong([...place, "responses", String(status), "content", "application/json", "schema"], answer)
      : []),
  ];
};

/** `/repos/{owner}/…` as a pattern; `/user` and others without a parameter match themselves. */
const templatePattern = (template: string): RegExp => new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);

const compiled = new Map<string, ValidateFunction>();

const wrong = (place: string[], value: unknown): string[] => {
  const pointer = place
    .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
    .map(encodeURIComponent)
    .join("/");
  const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `github#/${pointer}` });
  compiled.set(pointer, validate);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${pointer}${instancePath}: ${message}`);
};
