import { readdirSync, readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { expect, test } from "vitest";
import { commentText } from "../../report/comment/text.ts";
import type { Report } from "../../report/report.ts";
import { anyReport } from "./any-report.ts";

interface Case {
  title: string;
  given: { reports: Partial<Report>[]; missing?: string[]; limit?: number };
  expected: string;
}

const folder = new URL("../golden/comment/", import.meta.url);
const cases = readdirSync(folder).map((name) => parseYaml(readFileSync(new URL(name, folder), "utf8")) as Case);

test.each(cases)("$title", ({ given: { reports, missing = [], limit = 65_536 }, expected }) => {
  const text = commentText({
    ...{ reports: reports.map(anyReport), missing, limit, url: "https://ci.example/acme/chat/runs/7" },
    marker: { project: "jtel-chat", made: "2026-11-26T07:08:20Z", commit: "1a2b3c4", run: 7 },
  });
  expect(text).toBe(expected);
  expect(text.length).toBeLessThanOrEqual(limit);
});
