import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check } from "../../config/check.ts";
import { stackFileValues } from "../../config/offline.ts";
import { problemText } from "../../config/problems.ts";
import type { Deployment } from "../../config/schema.ts";
import { understood } from "../../hosts/look/answer.ts";
import type { StepQuestion } from "../../hosts/look/question.ts";
import { printable } from "../../hosts/printable.ts";
import { documentsOf } from "../../topologies/documents.ts";
import { topologies } from "../../topologies/topologies.ts";
import { refusal } from "../../tyntec/api/refusal.ts";
import { type HostTool, startHostTool } from "./host-tool.ts";

const seed = Number(process.env.JTEL_CHAT_SEED ?? 1);
const trials = Number(process.env.JTEL_CHAT_TRIALS ?? 300);

/** What a shell, a template, YAML, a terminal or a template engine would take for something else than text. */
const hostile = fc.constantFrom(
  ...[
    "; rm -rf /",
    "$(reboot)",
    "`id`",
    "$".concat("{HOME}"),
    "{{password}}",
    "{{{password}}}",
    "%n",
    "%%",
    "'",
    '"',
    "\\",
    "a\nb",
    "a\r\nb",
  ],
  ...[
    "\u0000",
    "\u001b[31m",
    "\u202e",
    "\u2028",
    "-oProxyCommand=id",
    "--",
    "../../etc/passwd",
    "a b",
    "",
    " ",
    "#",
    "é",
    "😀",
  ],
  ...["<b>", "]]>", "&amp;", "a,b", "x".repeat(300), "__proto__", "constructor", "0x10", "1e3", "NaN", "null", "true"],
);

const files = [
  "Pulumi.prod.yaml",
  "docs/stack-file.yaml",
  ...Object.keys(topologies).map((name) => `examples/${name}.yaml`),
];

const complete = files.map((file) => {
  const values = stackFileValues(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));
  const database = { ...(values.database as object), password: "p" };
  const tyntec = values.tyntec ? { tyntec: { ...(values.tyntec as object), apiKey: "k" } } : {};
  return { ...values, database, ...tyntec } as Record<string, unknown>;
});

/** Paths to all values below, also to lists and objects themselves. */
const paths = (value: unknown, path: (string | number)[] = []): (string | number)[][] => {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...(path.length ? [path] : []), ...entries.flatMap(([key, each]) => paths(each, [...path, key]))];
};

const replaced = (value: unknown, [key, ...rest]: (string | number)[], by: (old: unknown) => unknown): unknown => {
  if (key === undefined) return by(value);
  const copy: object = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string | number, unknown>)[key] = replaced(
    (value as Record<string | number, unknown>)[key],
    rest,
    by,
  );
  return copy;
};

/** A stack file in which one value is another one: hostile text in place of it or inside it, or something of any form. */
const changed = fc.constantFrom(...complete).chain((values) =>
  fc
    .tuple(
      fc.constantFrom(...paths(values)),
      hostile,
      fc.constantFrom("whole", "before", "after", "any"),
      fc.jsonValue(),
    )
    .map(
      ([path, text, how, any]) =>
        replaced(values, path, (old) => {
          if (how === "any") return any;
          if (typeof old !== "string" || how === "whole") return text;
          return how === "before" ? text + old : old + text;
        }) as Record<string, unknown>,
    ),
);

let hostTool: HostTool;
beforeAll(() => {
  hostTool = startHostTool();
});
afterAll(() => hostTool.stop());

/** The public documents that the program makes of a deployment. */
const publicDocuments = async (deployment: Deployment): Promise<StepQuestion[]> =>
  (await documentsOf(deployment)).filter(({ document }) => typeof document === "string");

test("a stack file of any content is accepted or has problems, a printable line each; the host tool takes what was accepted", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(changed, async (values) => {
      const checked = check(values);
      if ("problems" in checked) {
        expect(checked.problems.length).toBeGreaterThan(0);
        const text = problemText(checked.problems, "Pulumi.acme.yaml", "");
        for (const line of text.split("\n")) {
          expect(line).toMatch(/^Pulumi\.acme\.yaml: jtel-chat:/);
          expect(printable(line.slice(0, 300))).toBe(line.slice(0, 300));
        }
        return;
      }
      accepted += 1;
      for (const { host, step, document } of await publicDocuments(checked.deployment))
        expect(await hostTool.parsed(String(document)), `${host.name}-${step}:\n${document}`).toEqual([]);
    }),
    { numRuns: trials, seed },
  );
  expect(accepted).toBeGreaterThan(trials / 20);
});

test("whatever a host answers is an answer or one printable line", () => {
  const host = { name: "lb1", address: "192.0.2.11", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" };
  const step = fc.record(
    { generation: fc.jsonValue(), reason: fc.oneof(hostile, fc.jsonValue()), problems: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const answer = fc
    .oneof(fc.jsonValue(), fc.record({ steps: fc.dictionary(fc.oneof(hostile, fc.constant("java")), step) }))
    .map((value) => JSON.stringify(value));
  const stdout = fc
    .tuple(fc.oneof(hostile, fc.string()), fc.oneof(answer, hostile, fc.string()), fc.boolean())
    .map(([before, text, marked]) => `${before}${marked ? "\u001ejtel-chatctl " : ""}${text}\n`);
  const result = fc.record({
    stdout,
    stderr: fc.oneof(hostile, fc.string()),
    exitCode: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(result, (said) => {
      const { answer: found, problem } = understood(host, said, [{ host, step: "java", document: "x" }]);
      if (found) return expect(found.steps).toHaveProperty("java");
      expect(problem).not.toBe("");
      expect(printable(problem.slice(0, 300))).toBe(problem.slice(0, 300));
    }),
    { numRuns: trials * 5, seed },
  );
});

test("whatever TynTec answers is refused in one printable line", () => {
  const asked = { subject: "application", rights: "which may read it" };
  const text = fc.oneof(hostile, fc.string());
  const violations = fc.oneof(fc.jsonValue(), fc.array(fc.record({ field: text, message: text })));
  const problem = fc.record({ title: text, detail: text, violations }, { requiredKeys: [] });
  const answer = fc.record({
    status: fc.constantFrom(304, 400, 401, 403, 404, 422, 429, 500, 503, 599),
    type: text,
    retryAfter: fc.nat(),
    text: fc.oneof(
      text,
      fc.oneof(fc.jsonValue(), problem).map((value) => JSON.stringify(value)),
    ),
  });
  fc.assert(
    fc.property(answer, (given) => {
      const said = refusal(given, asked);
      expect(said).toContain(`${given.status}`);
      expect(said).toMatch(/^[\p{L}\p{N}\p{P}\p{S} ]+$/u);
    }),
    { numRuns: trials * 5, seed },
  );
});
