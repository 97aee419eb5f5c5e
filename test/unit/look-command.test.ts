import { expect, test } from "vitest";
import { lookCommand, observeCommand } from "../../hosts/look/look-command.ts";
import { wantsTool, withTool } from "../../hosts/tool-text.ts";

test("an observer's command is the one of its forced command, without arguments and shell", () => {
  expect(observeCommand).toBe("sudo -n /usr/local/sbin/jtel-chatctl observe");
  expect(lookCommand("ab12")).not.toContain("observe");
});

test("a host that asks for the tool's text gets it as asked for, with one line that runs it", () => {
  expect(lookCommand("ab12")).toContain(wantsTool);
  const { text, more } = withTool("{}\n", "look", false);
  expect(text).toBe("{}\n");
  expect(more?.asked).toBe(wantsTool);
  expect(more?.text.split("\n")[0]).toMatch(/^import os; .*"look"\]\)$/);
});
