import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Seen } from "../../approval/judge.ts";
import { approvedOf } from "../../cli/apply.ts";
import type { SeenHost } from "../../hosts/look/look-at-host.ts";
import { makeReport } from "../../report/make.ts";
import { markdown } from "../../report/markdown.ts";
import { code, fenced } from "../../report/neutral.ts";
import type { PreviewStep } from "../../report/preview.ts";
import { type Report, reportSchema } from "../../report/report.ts";
import { terminal } from "../../report/terminal.ts";

const heading = { project: "jtel-chat", stack: "acme", made: "2026-11-26T07:08:20Z", run: "" };

const approval = { digest: "ab".repeat(32), lines: ["stack acme"] };

const answer = {
  ...{ generation: 1, reason: "", drifted: false, diff: "", active: false },
  ...{ problems: [], warnings: [], facts: {}, alike: {} },
};

const seenHost = (name: string, answers: SeenHost["answers"] = {}): SeenHost => ({ name, answers, problems: [] });

const step = (op: string, name: string, before: string | undefined, after: string | undefined): PreviewStep => {
  const concern = name.slice(name.indexOf("-") + 1);
  const state = (stdin: string | undefined) =>
    stdin === undefined
      ? {}
      : { type: "command:remote:Command", inputs: { stdin, delete: `sudo -n jtel-chatctl undo ${concern}` } };
  const [oldState, newState] = [state(before), state(after)] as PreviewStep["oldState"][];
  return {
    op,
    urn: `urn::${name}`,
    ...(before !== undefined && { oldState }),
    ...(after !== undefined && { newState }),
  } as PreviewStep;
};

const reportOf = (
  hosts: SeenHost[],
  steps: PreviewStep[] = [],
  errors: string[] = [],
  prerequisites: Seen["prerequisites"] = [],
): Report => reportSchema.parse(makeReport({ steps, errors, seen: { hosts, prerequisites, approval } }, heading));

test("nothing to do", () => {
  const report = reportOf([seenHost("lb1", { haproxy: answer })]);
  expect(report).toMatchObject({ verdict: "nothing", changes: [], drift: [], approval });
  expect(markdown(report)).toMatch(/^### acme: nothing to do\n/);
});

test("the same change on two hosts is one, in the order of the program; what restarts is said in that order", () => {
  const steps = ["chatserver2", "chatserver1"].flatMap((name) => [
    step("update", `${name}-messenger`, "a\nb\n", "a\nc\n"),
    step("update", `${name}-messenger-running`, "x 1\n", "x 2\n"),
  ]);
  const facts = { "sessions:jtel-clientmessenger.service": "20" };
  const hosts = ["chatserver1", "chatserver2"].map((name) =>
    seenHost(name, { "messenger-running": { ...answer, facts } }),
  );
  const report = reportOf(hosts, steps);
  expect(report.changes).toMatchObject([
    {
      hosts: ["chatserver1", "chatserver2"],
      step: "messenger",
      operation: "update",
      diff: expect.stringContaining("-b\n+c"),
    },
    { hosts: ["chatserver1", "chatserver2"], step: "messenger-running" },
  ]);
  expect(terminal(report)).toContain(
    "restarts ClientMessenger on chatserver1, then chatserver2; reloads no HAProxy; 40 connections of clients now",
  );
});

test("a hand edit stands in the drift only, a commit's line in the changes only", () => {
  const drifted = {
    ...answer,
    drifted: true,
    reason: "content of /etc/x changed",
    diff: "+mine",
    facts: { "written:/etc/x": "2026-11-25T23:10:00Z" },
  };
  const hosts = [seenHost("lb1", { haproxy: drifted, firewall: drifted })];
  const report = reportOf(hosts, [
    step("update", "lb1-haproxy", "a\n", "b\n"),
    step("update", "lb1-firewall", "a\n", "a\n"),
  ]);
  expect(report.drift.map(({ step: concern, diff }) => [concern, diff])).toEqual([
    ["haproxy", "+mine"],
    ["firewall", "+mine"],
  ]);
  expect(report.changes.map(({ step: concern, diff }) => [concern, diff])).toEqual([
    ["haproxy", "@@ -1,1 +1,1 @@\n-a\n+b"],
  ]);
  expect(report.reach).toMatchObject({ hosts: ["lb1"], reloads: ["lb1"] });
  expect(markdown(report)).toContain("`/etc/x` was last written at `2026-11-25T23:10:00Z` (hints, no proof)");
});

test("a step that the host has lost says why it runs again", () => {
  const lost = { ...answer, reason: "not on the host (machine 1a2b)" };
  const report = reportOf([seenHost("lb1", { haproxy: lost })], [step("update", "lb1-haproxy", "a\n", "a\n")]);
  expect(report.changes).toMatchObject([{ step: "haproxy", cause: "not on the host (machine 1a2b)", diff: "" }]);
});

test("another host tool is one line with both versions", () => {
  const document = (version: string, digest: string) => `# tool: x\nversion: ${version}\ndigest: ${digest.repeat(8)}\n`;
  const tool = (before: string, after: string) => reportOf([], [step("update", "lb1-tool", before, after)]).changes;
  const old = document("0.1.0", "8ec20609");
  expect(tool(old, document("0.2.0", "c13ca6a8"))).toMatchObject([
    { cause: "host tool 0.1.0 (8ec20609) → 0.2.0 (c13ca6a8)", diff: "" },
  ]);
  expect(tool(old, `${document("0.2.0", "c13ca6a8")}# files: y\n`)).toMatchObject([
    { cause: "", diff: expect.stringContaining("+# files: y") },
  ]);
});

test("a removed step is a decision, also where its host has left the stack", () => {
  const report = reportOf([], [step("delete", "lb2-haproxy", "a\n", undefined)]);
  expect(report).toMatchObject({ verdict: "changes", reach: { removed: ["lb2-haproxy"], hosts: ["lb2"] } });
  expect(markdown(report)).toMatch(/\*\*Removed\*\*\n\n- `lb2-haproxy`/);
});

test("what was moved at TynTec is drift on no host, and a preview that may not ask there is not seen", () => {
  const seen = { name: "tyntec-webhooks", problems: [], drift: ["MoMessage goes to https://crm.example/hook"] };
  const report = reportOf([seenHost("lb1")], [], [], [{ ...seen, warnings: ["takes over: x"] }]);
  expect(report.drift).toMatchObject([{ hosts: [], step: "tyntec-webhooks", reason: seen.drift[0] }]);
  expect(report.warnings).toEqual([{ hosts: [], step: "tyntec-webhooks", text: "takes over: x" }]);
  expect(reportOf([], [], [], [{ ...seen, drift: [], unseen: "the address changed" }])).toMatchObject({
    verdict: "unseen",
    unseen: [{ host: "tyntec-webhooks", why: "the address changed" }],
  });
});

describe("a step with a secret document", () => {
  const name = "chatserver1-messenger-secret";
  const rotated = { ...step("update", name, "[secret]", "[secret]"), diffReasons: ["stdin"] };
  const drifted = [seenHost("chatserver1", { "messenger-secret": { ...answer, drifted: true, reason: "mode" } })];

  test("names a new secret, and shows it nowhere", () => {
    const { changes } = reportOf([seenHost("chatserver1")], [rotated]);
    expect(changes).toMatchObject([{ step: "messenger-secret", secret: true, diff: "" }]);
  });

  test("names a new secret also where the host has drifted", () => {
    const { changes, drift } = reportOf(drifted, [rotated]);
    expect([changes, drift]).toMatchObject([[{ secret: true }], [{ reason: "mode" }]]);
  });

  test("has no new secret where it only runs again, or goes", () => {
    const again = { ...step("update", name, "[secret]", "[secret]"), diffReasons: ["create"] };
    expect(reportOf([seenHost("chatserver1")], [again]).changes).toMatchObject([{ secret: false, diff: "" }]);
    expect(reportOf(drifted, [again]).changes).toEqual([]);
    const gone = step("delete", name, "[secret]", undefined);
    expect(reportOf([seenHost("chatserver1")], [gone]).changes).toMatchObject([{ secret: false, diff: "" }]);
  });
});

test("a preview that has not said what it has seen is no nothing to do", () => {
  const { verdict, problems } = makeReport({ steps: [], errors: [], seen: undefined }, heading);
  expect(verdict).toBe("failed");
  expect(problems[0]).toContain("without saying what it has seen");
});

test("what a host calls a problem of what was applied is a warning, unless it has stopped the run", () => {
  const answers = { database: { ...answer, problems: ["acd-dbm does not answer"] } };
  const text = "acd-dbm does not answer";
  expect(reportOf([seenHost("chatserver1", answers)]).warnings).toEqual([
    { hosts: ["chatserver1"], step: "database", text },
  ]);
  expect(reportOf([{ ...seenHost("chatserver1", answers), problems: [text] }]).warnings).toEqual([]);
});

test("what is not the same on all hosts is a warning about all hosts", () => {
  const hosts = ["1", "2"].map((value) =>
    seenHost(`chatserver${value}`, { java: { ...answer, alike: { java: value } } }),
  );
  expect(reportOf(hosts).warnings).toMatchObject([{ hosts: [], step: "all hosts" }]);
});

test("a change at the end of a long line is shown", () => {
  const long = (end: string) => `${"x".repeat(500)}${end}\n`;
  const [change] = reportOf([seenHost("lb1")], [step("update", "lb1-java", long("good"), long("evil"))]).changes;
  expect(change?.diff).toMatch(/-x+good\n\+x+evil/);
});

test("a host that was not seen, and a preview that failed, are never nothing to do", () => {
  const unseen = reportOf([{ ...seenHost("lb2"), unseen: "no route" }]);
  expect(unseen.verdict).toBe("unseen");
  expect(markdown(unseen)).toContain("### acme: cannot be approved: lb2 not seen");
  const failed = reportOf(
    [],
    [],
    ["error: nothing was changed:\nlb1: line 3 of /etc/haproxy/haproxy.cfg is unknown\n"],
  );
  expect(failed).toMatchObject({ verdict: "failed", problems: ["lb1: line 3 of /etc/haproxy/haproxy.cfg is unknown"] });
});

test("what a host says cannot leave its place in Markdown or a terminal", () => {
  const hostile = "</details>`` ```\n# @everyone <img src=x> \u202e \u001b[31m";
  const report = reportOf([
    seenHost("lb1", {
      haproxy: { ...answer, drifted: true, reason: hostile, diff: `+${hostile}`, warnings: [hostile] },
    }),
  ]);
  for (const text of [markdown(report), terminal(report)]) {
    expect(text).not.toContain("\u202e");
    expect(text).not.toContain("\u001b[31m");
  }
  const outside = markdown(report)
    .replaceAll(/^(`{3,})(?:diff|text)\n.*?\n\1$/gms, "")
    .replaceAll(/(`+)(?!`).+?(?<!`)\1(?!`)/g, "");
  expect(outside).not.toMatch(/@everyone|<img/);
  expect(outside.match(/<\/?details>/g)).toEqual(["<details>", "</details>", "<details>", "</details>"]);
});

test("code and fences are longer than what is in them", () => {
  expect(code("a``b")).toBe("```a``b```");
  expect(code("`x")).toBe("`` `x ``");
  expect(fenced("````\nx", "diff")).toBe("`````diff\n````\nx\n`````");
});

test("an approval is a digest, or a report of this stack that can be approved; everything else is refused", async () => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-test-"));
  const file = join(directory, "report.json");
  const given = async (report: object | string, stack = "acme") => {
    await writeFile(file, typeof report === "string" ? report : JSON.stringify(report));
    return approvedOf(file, stack);
  };
  const report = reportOf([seenHost("lb1")]);
  expect(await approvedOf("ab".repeat(32), "acme")).toEqual({ digest: "ab".repeat(32), lines: undefined });
  expect(await given(report)).toEqual(approval);
  await expect(approvedOf("abc", "acme")).rejects.toThrow(/is no digest \(64 hexadecimal digits\), and no file/);
  await expect(given(report, "other")).rejects.toThrow("is of jtel-chat/acme, not of jtel-chat/other");
  await expect(given({ ...report, project: "x" })).rejects.toThrow("is of x/acme");
  await expect(given({ ...report, format: 2 })).rejects.toThrow(
    "is no report of this version. Make it anew: npm run report",
  );
  await expect(given("{")).rejects.toThrow("is no report of this version");
  await expect(given({ ...report, approval: { refused: "not seen: lb1" } })).rejects.toThrow(
    "cannot be approved: not seen: lb1",
  );
  await rm(directory, { recursive: true });
});
