import { readdirSync, readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { describe, expect, test } from "vitest";
import { haproxyOptions } from "../../config/schema.ts";
import { drainDocument } from "../../render/client-messenger/drain.ts";
import { argumentFileText, environmentFileText } from "../../render/client-messenger/messenger-secret.ts";
import { type Unit, unitSection } from "../../render/client-messenger/unit.ts";
import { document } from "../../render/document.ts";
import { type Admission, type FirewalledHost, firewallDocument } from "../../render/firewall.ts";
import { type ChatFrontend, chatSections } from "../../render/haproxy.ts";
import { type HazelcastCluster, hazelcastXml } from "../../render/hazelcast.ts";

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

golden("haproxy", ({ options, ...given }: Omit<ChatFrontend, "options"> & { options?: object }) =>
  chatSections({ ...given, options: haproxyOptions.parse(options ?? {}) }),
);
golden("argument-file", argumentFileText);
golden("firewall", ({ host, admission }: { host: FirewalledHost; admission: Admission }) =>
  firewallDocument(host, admission),
);
golden("drain", drainDocument);
golden("environment-file", environmentFileText);
golden("unit", (unit: Unit) => document(unitSection(unit)));
golden("hazelcast", ({ major, ...cluster }: HazelcastCluster & { major: 3 | 5 }) => hazelcastXml(major, cluster));
