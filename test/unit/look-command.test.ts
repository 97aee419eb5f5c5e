import { expect, test } from "vitest";
import { lookCommand, observeCommand, wantsTool } from "../../hosts/look/look-command.ts";

test("an observer's command is the one of its forced command, without arguments and shell", () => {
  expect(observeCommand).toBe("sudo -n /usr/local/sbin/jtel-chatctl observe");
  expect(lookCommand("ab12")).not.toContain("observe");
  expect(lookCommand("ab12")).toContain(
    `printf '${JSON.stringify(wantsTool).slice(1, -1).replace("\\u001e", "\\036")}'`,
  );
});
