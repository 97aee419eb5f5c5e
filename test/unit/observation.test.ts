import { expect, test } from "vitest";
import { fingerprint } from "../../hosts/fingerprint.ts";
import { understood } from "../../hosts/look/answer.ts";
import { lookCommand, observeCommand } from "../../hosts/look/look-command.ts";
import { printable } from "../../hosts/printable.ts";
import { connectionProblem } from "../../hosts/ssh/connection-problem.ts";
import { wantsTool } from "../../hosts/tool-text.ts";

const host = { name: "lb1", address: "10.1.0.11", port: 22, user: "observer", hostKey: "ssh-ed25519 AAAA" };
const questions = [{ host, step: "java", document: undefined }];
const step = { generation: 1, reason: "new", drifted: false, diff: "", problems: [] };
const long = "x".repeat(300 * 1024);

const answered = (answer: unknown, before = "") => {
  const stdout = `${before}\u001ejtel-chatctl ${typeof answer === "string" ? answer : JSON.stringify(answer)}\n`;
  return understood(host, { exitCode: 0, stdout, stderr: "" }, questions);
};

test("an answer is found behind what a login shell has said", () => {
  const { answer, problem } = answered({ tool: "ab12", steps: { java: step } }, "welcome\n");
  expect(problem).toBe("");
  expect(answer).toEqual({
    tool: "ab12",
    steps: { java: { ...step, warnings: [], facts: {}, alike: {}, active: false } },
  });
});

test.each([
  ["a generation beyond any count", { steps: { java: { ...step, generation: 2 ** 31 } } }, "steps.java.generation"],
  ["a reason without end", { steps: { java: { ...step, reason: long } } }, "steps.java.reason"],
  ["a problem without end", { steps: { java: { ...step, problems: [long] } } }, "steps.java.problems.0"],
  ["problems without end", { steps: { java: { ...step, problems: Array(1001).fill("") } } }, "steps.java.problems"],
  ["a diff without end", { steps: { java: { ...step, diff: long.repeat(4) } } }, "steps.java.diff"],
  ["a step that is none", { steps: { java: step, "a\u001b[2J": step } }, "steps.a?[2J"],
  ["a tool's name without end", { tool: long, steps: { java: step } }, "tool"],
  ["nothing about a step", { steps: {} }, "nothing about java"],
  ["a prototype", '{"steps": {"__proto__": {"java": {}}}}', "its answer is none that this version understands"],
  ["no JSON", "{", "it is no JSON"],
  ["nesting without end", "[".repeat(10_000_000), "it is no JSON"],
])("an answer with %s is a problem, not an answer", (_, answer, problem) => {
  const found = answered(answer);
  expect(found.answer).toBeUndefined();
  expect(found.problem).toContain(problem);
  expect(found.problem.length).toBeLessThan(1000);
});

test("millions of empty lines are no answer, quickly", () => {
  const stdout = "\n".repeat(16 * 1024 ** 2);
  expect(understood(host, { exitCode: 1, stdout, stderr: "" }, questions).answer).toBeUndefined();
});

test("an answer that was cut off counts for nothing", () => {
  const stdout = `\u001ejtel-chatctl ${JSON.stringify({ steps: { java: step } })}\n`;
  const ended = "gave no answer within 300 s";
  const { answer, problem } = understood(host, { exitCode: 255, stdout, stderr: "", ended }, questions);
  expect(answer).toBeUndefined();
  expect(problem).toMatch(/^it gave no answer within 300 s, and was cut off\. /);
});

test("the remedy for an observer's account grants no more than looking", () => {
  const refused = { exitCode: 1, stdout: "", stderr: "sudo: a password is required" };
  expect(understood(host, refused, questions, "/usr/local/sbin/jtel-chatctl observe").problem).toContain(
    `'observer ALL=(root) NOPASSWD: /usr/local/sbin/jtel-chatctl observe'`,
  );
  expect(connectionProblem(host, refused)).toContain("NOPASSWD: ALL");
});

test("a look that its limits have ended says so", () => {
  const stderr = "lb1: the look was ended: it took longer than 180 s. See what was running then";
  expect(connectionProblem(host, { exitCode: 3, stdout: "", stderr })).toMatch(/does not get to the end.*180 s/);
});

test("an observer's command is the one of its forced command, without arguments and shell", () => {
  expect(observeCommand).toBe("sudo -n /usr/local/sbin/jtel-chatctl observe");
  for (const installs of [true, false]) {
    expect(lookCommand("ab12", installs)).not.toContain("observe");
    expect(lookCommand("ab12", installs)).toContain(
      `printf '${JSON.stringify(wantsTool).slice(1, -1).replace("\\u001e", "\\036")}'`,
    );
  }
});

test("a fingerprint is 16 hexadecimal digits, or an error that names the host", () => {
  expect(fingerprint("chatserver1", "messenger-secret", "waited\n/etc/x 0123456789abcdef\n")).toBe("0123456789abcdef");
  for (const said of ["", "absent", "0123456789ABCDEF", "0123456789abcdef0", "0123456789abcdef\u001b[2J", long])
    expect(() => fingerprint("chatserver1", "messenger-secret", said)).toThrow(
      /^chatserver1: messenger-secret ended without the fingerprint[^\p{C}]{1,300}$/u,
    );
});

test("nothing that a terminal or a reader obeys is shown", () => {
  for (const character of ["\u001b", "\u0007", "\r", "\n", "\u009b", "\u202e", "\u2066", "\u2028", "\u200b", "\ufeff"])
    expect(printable(`a${character}b`)).toBe("a?b");
  expect(printable("ä €, 漢字 😀 – „x“")).toBe("ä €, 漢字 😀 – „x“");
});
