import { expect, test } from "vitest";
import { understood } from "../../hosts/look/answer.ts";

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

test("a login script that prints a window title before the answer, without a line break, hides nothing", () => {
  const answer = { steps: { java: { generation: 1, reason: "", drifted: false, diff: "", problems: [] } } };
  const stdout = `\u001b]0;deploy@lb1\u0007\u001ejtel-chatctl ${JSON.stringify(answer)}\n`;
  expect(understood(host, { exitCode: 0, stdout, stderr: "" }, questions).answer?.steps).toHaveProperty("java");
});
