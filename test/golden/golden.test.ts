import { readdirSync, readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { expect, test } from "vitest";
import { type ChatFrontend, chatSections } from "../../render/haproxy.ts";

interface Case {
  title: string;
  given: ChatFrontend;
  expected: string;
}

const cases = readdirSync(new URL("haproxy/", import.meta.url)).map(
  (name) => parseYaml(readFileSync(new URL(`haproxy/${name}`, import.meta.url), "utf8")) as Case,
);

test.each(cases)("haproxy: $title", ({ given, expected }) => {
  expect(chatSections(given)).toBe(expected);
});
