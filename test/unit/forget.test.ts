import { expect, test } from "vitest";
import { forgotten } from "../../cli/forget.ts";

const urn = (name: string) => `urn:pulumi:dev::jtel-chat::command:remote:Command::${name}`;
const step = (name: string, ...dependencies: string[]) => ({
  urn: urn(name),
  type: "command:remote:Command",
  dependencies: dependencies.map(urn),
});

const state = {
  deployment: {
    resources: [
      step("lb1-tool"),
      step("chatserver1-tool"),
      step("chatserver1-messenger-running", "chatserver1-tool"),
      step("chatserver10-tool"),
      step("lb1-haproxy", "lb1-tool", "chatserver1-messenger-running"),
    ],
  },
};

test("a host's steps leave the state, and nothing depends on them any more", () => {
  const { state: left, steps } = forgotten(state, "chatserver1");
  expect(steps).toEqual(["chatserver1-tool", "chatserver1-messenger-running"]);
  expect(left.deployment.resources?.map((resource) => resource.urn)).toEqual(
    ["lb1-tool", "chatserver10-tool", "lb1-haproxy"].map(urn),
  );
  expect(left.deployment.resources?.at(-1)?.dependencies).toEqual([urn("lb1-tool")]);
});

test("a host that the stack does not have is refused, naming those that it has", () => {
  expect(() => forgotten(state, "chatserver2")).toThrow("Its hosts: lb1, chatserver1, chatserver10");
});
