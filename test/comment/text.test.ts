import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commentText } from "../../report/comment/text.ts";
import { makeReport } from "../../report/make.ts";
import { sectionText, verdictLine } from "../../report/markdown.ts";
import { code } from "../../report/neutral.ts";
import type { Report } from "../../report/report.ts";
import { sections } from "../../report/sections.ts";
import { anyReport } from "./any-report.ts";

const trials = Number(process.env.JTEL_CHAT_TRIALS ?? 300);
const url = "https://ci.example/acme/chat/runs/7";
const marker = { project: "jtel-chat", made: "2026-11-26T07:08:20Z", commit: "1a2b3c4", run: 7 };

const textOf = (reports: Report[], limit = 65_536, missing: string[] = []): string =>
  commentText({ reports, missing, marker, limit, url });

/** What a page shows before anything is unfolded. */
const unfolded = (text: string): string => text.replaceAll(/<details>.*?<\/details>/gs, "");

/** A change of a thousand characters. */
const change = (step: string): Report["changes"][number] => ({
  ...{ hosts: ["lb1"], step, operation: "update", cause: "", secret: false },
  diff: `@@ -1 +1 @@\n+${"x".repeat(1000)}`,
});

describe("a comment", () => {
  test("shows the one deletion of 200 stacks without unfolding", () => {
    const reports = Array.from({ length: 200 }, (_, index) =>
      anyReport({ stack: `customer${index}`, verdict: "changes", changes: [change("haproxy"), change("firewall")] }),
    );
    reports[170] = anyReport({
      ...{ stack: "customer170", verdict: "changes" },
      reach: { hosts: ["lb1"], restarts: [], reloads: ["lb1"], sessions: {}, removed: ["lb1-haproxy"] },
    });
    const text = textOf(reports);
    expect(text.length).toBeLessThanOrEqual(65_536);
    const shown = unfolded(text);
    expect(shown).toContain("**200 stacks: 200 with changes; 1 step would be removed**");
    expect(shown).toMatch(/### customer170: changes\n[^#]*\*\*Removed\*\*\n\n- `lb1-haproxy`/);
    for (const { stack } of reports) expect(shown).toContain(`### ${stack}: changes`);
    const left = Number(/: (\d+) folds/.exec(shown)?.[1]);
    expect(text.match(/<details>/g)?.length).toBe(199 * 2 + 200 - left);
    expect(shown).toContain(`[All of it](<${url}>)`);
  });

  test("counts, behind each of 500 verdicts, the sections that have no room", () => {
    const reports = Array.from({ length: 500 }, (_, index) =>
      anyReport({ stack: `customer${index}`, verdict: "failed", problems: [String(index).repeat(3000)] }),
    );
    const text = textOf(reports);
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text.match(/^### customer\d+: the preview failed \(\d sections? left out\)$/gm)).toHaveLength(500);
  });

  test("is as it is where it fits, to the character", () => {
    const reports = [anyReport({ verdict: "changes", changes: [change("haproxy")] }), anyReport({ stack: "bistro" })];
    const whole = textOf(reports, 1_000_000);
    expect(textOf(reports, whole.length)).toBe(whole);
    expect(textOf(reports, whole.length - 1)).toContain("Left out");
  });

  test("says where only an observer has looked, as the preview has", () => {
    const seen = { hosts: [], prerequisites: [], problems: [], approval: { refused: "observer has looked" } };
    const heading = { project: "jtel-chat", stack: "acme", made: "2026-11-26T07:08:20Z", run: "" };
    const made = (observer: string | undefined) =>
      makeReport({ steps: [], errors: [], seen: { ...seen, observer } }, heading);
    expect(textOf([made("observer")])).toContain("- acme: nothing to do (candidates not checked on the hosts)");
    expect(textOf([made(undefined)])).toContain("- acme: nothing to do\n");
  });

  test("names what has no report, and says so where there is none at all", () => {
    expect(textOf([], 65_536, ["cafe"])).toContain("### cafe: no report");
    expect(textOf([])).toContain("No stack of this pull request has a preview");
  });
});

// --- any reports

const nasty = fc.constantFrom(
  "@all",
  "`",
  "```",
  "````",
  "~~~",
  "</details>",
  "<img src=x>",
  "-->",
  "\u202e",
  "/close",
  "[x](y)",
);
const hostText = fc
  .array(fc.oneof(nasty, fc.string({ maxLength: 12 })), { maxLength: 6 })
  .map((parts) => parts.join(" "));
const hostLines = fc.array(hostText, { maxLength: 8 }).map((lines) => lines.join("\n"));
const names = fc.array(hostText, { minLength: 1, maxLength: 3 });
const many = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { maxLength: 4 });

const reports = fc.array(
  fc
    .record({
      stack: hostText,
      verdict: fc.constantFrom("nothing", "changes", "unseen", "failed"),
      hosts: many(fc.record({ name: hostText, steps: fc.constant<string[]>(["haproxy", "messenger"]) })),
      problems: many(hostText),
      unseen: many(fc.record({ host: hostText, why: hostText })),
      warnings: many(fc.record({ hosts: names, step: hostText, text: hostText })),
      drift: many(
        fc.record({
          hosts: names,
          step: hostText,
          reason: hostText,
          diff: hostLines,
          written: fc.dictionary(hostText, hostText),
        }),
      ),
      changes: many(
        fc.record({
          ...{ hosts: names, step: hostText, cause: hostText, diff: hostLines, secret: fc.boolean() },
          operation: fc.constantFrom("create", "update", "delete", "replace"),
        }),
      ),
      reach: fc.record({
        hosts: names,
        restarts: names,
        reloads: names,
        sessions: fc.constant({}),
        removed: many(hostText),
      }),
      approval: fc.record({ refused: hostText }),
    })
    .map((given) => anyReport(given as Partial<Report>)),
  { maxLength: 8 },
);

/** The lines of a comment outside fences, without inline code and our own markup. Throws where a fence or a fold is not closed. */
const prose = (text: string): string[] => {
  let fence: string | undefined;
  let depth = 0;
  const lines = text.split("\n").flatMap((line) => {
    const ticks = /^(`{3,})[^`]*$/.exec(line)?.[1];
    if (fence !== undefined) {
      if (ticks === line && line.length >= fence.length) fence = undefined;
      return [];
    }
    if (ticks) {
      fence = ticks;
      return [];
    }
    const bare = line
      .replace(/^<!-- jtel-chat [^>]* -->$/, "")
      .replaceAll("<code>@</code>", "")
      .replaceAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
    depth += Number(bare.includes("<details>")) - Number(bare === "</details>");
    if (depth < 0 || depth > 1) throw new Error(`a fold within a fold, or none that ends: ${line}`);
    return [bare.replaceAll(/<details><summary>|<\/summary>|<\/details>|<\/?sub>|\(?\[[\w ]+\]\(<[^>]*>\)/g, "")];
  });
  if (fence !== undefined || depth) throw new Error("ends within a fence or a fold");
  return lines;
};

describe("a comment on any reports", () => {
  const anyLimit = fc.constantFrom(2_500, 4_000, 10_000, 65_536, 1_000_000);

  test("is never too long, closes what it opens, and says nothing in a host's name", () => {
    fc.assert(
      fc.property(reports, anyLimit, (given, limit) => {
        const text = textOf(given, limit);
        expect(text.length).toBeLessThanOrEqual(limit);
        expect(text).not.toMatch(/[^\p{L}\p{N}\p{P}\p{S} \n]/u);
        for (const line of prose(text)) expect(line).not.toMatch(/@|<|>|\]\(|^\/|`/);
      }),
      { numRuns: trials },
    );
  });

  test("has every decision unfolded, or counts it: whole parts or nothing", () => {
    fc.assert(
      fc.property(reports, anyLimit, (given, limit) => {
        const text = textOf(given, limit);
        const loud = given.filter(
          ({ verdict, warnings, drift }) => verdict !== "nothing" || warnings.length || drift.length,
        );
        const shown = loud.filter((report) => text.includes(verdictLine(report)));
        if (!text.includes("**Left out**")) expect(shown).toEqual(loud);
        for (const report of shown) {
          const decisions = sections(report)
            .filter(({ weight }) => weight === "decision")
            .map(sectionText);
          const missing = decisions.filter((each) => !text.includes(each));
          if (missing.length) expect(text).toMatch(/\(\d+ sections? left out\)/);
          if (text.length < limit / 2) expect(missing).toEqual([]);
        }
      }),
      { numRuns: trials },
    );
  });

  test("keeps what is removed, however long the problems before it are", () => {
    const removed = ["lb1-haproxy", "chatserver1-messenger"];
    const reach = { hosts: ["lb1"], restarts: [], reloads: [], sessions: {}, removed };
    const given = (length: number) => [
      anyReport({ verdict: "failed", reach, problems: ["p".repeat(length)], changes: [change("haproxy")] }),
    ];
    const room = 20_000 - textOf(given(0)).length;
    for (let length = room; length < room + 1200; length += 10) {
      const text = textOf(given(length), 20_000);
      for (const step of removed) expect(text).toContain(`- ${code(step)}`);
    }
    expect(textOf(given(room + 1200), 20_000)).toContain("### acme: the preview failed (1 section left out)");
  });
});
