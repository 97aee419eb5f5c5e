import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { forgotten } from "../../cli/forget.ts";
import { undoCommand, uninstallCommand } from "../../hosts/launcher.ts";

const urn = (name: string) => `urn:pulumi:dev::jtel-chat::command:remote:Command::${name}`;
const step = (host: string, concern: string, ...dependencies: string[]) => ({
  urn: urn(`${host}-${concern}`),
  type: "command:remote:Command",
  inputs: { delete: concern === "tool" ? uninstallCommand() : undoCommand(concern) },
  dependencies: dependencies.map(urn),
});

const state = {
  deployment: {
    resources: [
      step("lb1", "tool"),
      step("chatserver1", "tool"),
      step("chatserver1", "messenger-running", "chatserver1-tool"),
      step("chatserver10", "tool"),
      step("chatserver1-dmz", "tool"),
      step("chatserver1-dmz", "messenger-secret", "chatserver1-dmz-tool"),
      step("lb1", "haproxy", "lb1-tool", "chatserver1-messenger-running"),
    ],
  },
};

test("a host's steps leave the state, and nothing depends on them any more", () => {
  const { state: left, steps } = forgotten(state, "chatserver1");
  expect(steps).toEqual(["chatserver1-tool", "chatserver1-messenger-running"]);
  expect(left.deployment.resources?.map((resource) => resource.urn)).toEqual(
    ["lb1-tool", "chatserver10-tool", "chatserver1-dmz-tool", "chatserver1-dmz-messenger-secret", "lb1-haproxy"].map(
      urn,
    ),
  );
  expect(left.deployment.resources?.at(-1)?.dependencies).toEqual([urn("lb1-tool")]);
});

test("a host whose name goes on where another one's ends is forgotten alone", () => {
  expect(forgotten(state, "chatserver1-dmz").steps).toEqual([
    "chatserver1-dmz-tool",
    "chatserver1-dmz-messenger-secret",
  ]);
});

test("a host that the stack does not have is refused, naming those that it has", () => {
  expect(() => forgotten(state, "chatserver2")).toThrow("Its hosts: lb1, chatserver1, chatserver10, chatserver1-dmz");
});

test("the steps of a state that an earlier version wrote belong to their hosts", () => {
  const earlier = JSON.parse(readFileSync(new URL("../upgrade/states/2026-11.json", import.meta.url), "utf8"));
  const names: string[] = earlier.deployment.resources
    .filter(({ type }: { type: string }) => type === "command:remote:Command")
    .map((resource: { urn: string }) => resource.urn.split("::").at(-1));
  const forgottenSteps = ["lb1", "chatserver1", "chatserver2"].flatMap((host) => {
    const { steps } = forgotten(earlier, host);
    expect(steps).toEqual(names.filter((name) => name.startsWith(`${host}-`)));
    return steps;
  });
  expect(forgottenSteps.toSorted()).toEqual(names.toSorted());
});
