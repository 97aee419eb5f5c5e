import { expect, test } from "vitest";
import { applyCommand, installCommand, undoCommand, uninstallCommand } from "../../hosts/launcher.ts";
import { lookCommand, observeCommand } from "../../hosts/look/look-command.ts";
import { posix } from "../../hosts/posix.ts";

const launch = { generation: 2, reason: "it's \u001b[31m$(reboot)\n`x` C:\\temp" };

test("what a host says cannot leave its quotes in a command line", () => {
  expect(applyCommand("haproxy", launch)).toBe(
    "sudo -n /usr/local/sbin/jtel-chatctl apply haproxy 2 'it’s ?[31m$(reboot) `x` C:∖temp'",
  );
});

/** sshd hands them to the login's shell: sh, fish, tcsh and rbash read plain words and one pair of quotes alike. */
test.each([
  applyCommand("haproxy", launch),
  installCommand(launch),
  undoCommand("haproxy"),
  uninstallCommand(),
  observeCommand,
  lookCommand("ab12"),
])("a command is plain words and single-quoted texts, which every login shell reads alike: %.60s…", (command) => {
  expect(command).not.toContain("\\");
  expect(command.replaceAll(/'[^'\n]*'/g, "TEXT")).toMatch(/^[A-Za-z0-9_/. -]+$/);
});

test.each(["echo 'x'", "echo \\n"])("a script that shells read differently is no script: %s", (script) => {
  expect(() => posix(script)).toThrow("Expected a script without ' and \\");
});
