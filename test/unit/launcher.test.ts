import { expect, test } from "vitest";
import { applyCommand } from "../../hosts/launcher.ts";

test("what a host says cannot leave its quotes in a command line", () => {
  const command = applyCommand("haproxy", { generation: 2, reason: "it's \u001b[31m$(reboot)\n`x`" });
  expect(command).toBe("sudo -n /usr/local/sbin/jtel-chatctl apply haproxy 2 'it'\\''s ?[31m$(reboot)?`x`'");
});
