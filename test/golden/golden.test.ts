import { readdirSync, readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { describe, expect, test } from "vitest";
import { argumentFileText, dataDirectory, dropIn, environmentFileText } from "../../render/client-messenger.ts";
import { chatSections } from "../../render/haproxy.ts";

interface Case<Given> {
  title: string;
  given: Given;
  expected: string;
}

/** Every case of a folder, as a person who knows the domain reads it. */
const cases = <Given>(folder: string): Case<Given>[] =>
  readdirSync(new URL(`${folder}/`, import.meta.url)).map(
    (name) => parseYaml(readFileSync(new URL(`${folder}/${name}`, import.meta.url), "utf8")) as Case<Given>,
  );

const golden = <Given>(folder: string, render: (given: Given) => string): void => {
  describe(folder, () => {
    test.each(cases<Given>(folder))("$title", ({ given, expected }) => {
      expect(render(given)).toBe(expected);
    });
  });
};

golden("haproxy", chatSections);
golden("argument-file", argumentFileText);
golden("environment-file", environmentFileText);
golden("drop-in", (share: { path: string; hosted: boolean }) =>
  dropIn({ dataDirectory: dataDirectory(share), ...(share.hosted ? {} : { mount: share.path }) }),
);
