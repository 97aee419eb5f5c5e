import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { topologies } from "../../topologies/topologies.ts";
import { procedure, procedureOf } from "../engine/procedure.ts";

const page = join(import.meta.dirname, "../../docs/coverage.md");

const introduction = `# Coverage

One row for each line of the vendor's procedure and each topology: the test that proves it on booted hosts.
The lines stand in \`test/engine/procedure.ts\`; this page is written from them (\`toolchain/exec vitest run test/unit/coverage.test.ts --update\`), and a test checks that each named test exists.

| line | topology | test |
| --- | --- | --- |
`;

const rows = procedure.flatMap(({ title }) =>
  Object.keys(topologies).map((topology) => ({ title, topology, name: `${procedureOf(topology)} > ${title}` })),
);

test("docs/coverage.md has a row for every line of the procedure and every topology", async () => {
  const table = rows.map(({ title, topology, name }) => `| ${title} | ${topology} | ${name} |\n`);
  await expect(introduction + table.join("")).toMatchFileSnapshot(page);
});

test(
  "every test that docs/coverage.md names exists",
  async () => {
    const { stdout } = await execa("vitest", ["list", "test/engine", "--staticParse=false", "--json"], {
      env: { CI: "true" },
    });
    const listed: { name: string }[] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
    const named = readFileSync(page, "utf8")
      .split("\n")
      .filter((line) => line.includes(" > "));
    for (const row of named) {
      const name = row.split(" | ").at(-1)?.replace(/ \|$/, "") ?? "";
      expect(
        listed.some((each) => each.name.endsWith(name)),
        name,
      ).toBe(true);
    }
    expect(named).toHaveLength(rows.length);
  },
  minutes,
);
