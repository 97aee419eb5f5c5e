import { expect, test } from "vitest";
import { lookCommand, observeCommand } from "../../hosts/look/look-command.ts";
import { wantsTool } from "../../hosts/tool-text.ts";

test("an observer's command is the one of its forced command, without arguments and shell", () => {
  expect(observeCommand).toBe("sudo -n /usr/local/sbin/jtel-chatctl observe");
  for (const installs of [true, false]) {
    expect(lookCommand("ab12", installs)).not.toContain("observe");
    expect(lookCommand("ab12", installs)).toContain(wantsTool.slice(1).trim().replaceAll(" ", "_"));
  }
});
