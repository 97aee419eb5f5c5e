import { expect, test } from "vitest";
import { understood } from "../../hosts/look/answer.ts";
import { connectionProblem } from "../../hosts/ssh/connection-problem.ts";

const host = { name: "lb1", address: "10.1.0.11", port: 22, user: "observer", hostKey: "ssh-ed25519 AAAA" };
const questions = [{ host, step: "java", document: undefined }];
const target = { address: "192.0.2.1", port: 2222, user: "deploy", hostKey: "ssh-ed25519 AAAA" };

test("ssh ends its lines with CR LF, which nobody has to see", () => {
  const stderr =
    "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 10.1.0.11 port 22\r\n";
  expect(connectionProblem(target, { exitCode: 255, stdout: "", stderr })).toMatch(
    / \(kex_exchange_identification: read: Connection reset by peer Connection reset by 10\.1\.0\.11 port 22\)$/,
  );
});

test.each([
  ["Host key verification failed.", "not the pinned one"],
  ["deploy@192.0.2.1: Permission denied (publickey).", "ssh-add"],
  ["Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures", "ssh.agentSocket"],
  ["rbash: line 1: sh: command not found", "chsh -s /bin/sh deploy"],
  ["sudo: a password is required", "NOPASSWD"],
  ["ssh: connect to host 192.0.2.1 port 22: Connection timed out", "not reachable"],
  ["Unable to negotiate with 192.0.2.1: no matching host key type found", "Take hostKey from another"],
  ["something new", "Run the command yourself"],
])("ssh's '%s' becomes an error with a remedy", (stderr, remedy) => {
  expect(connectionProblem(target, { exitCode: 255, stdout: "", stderr })).toContain(remedy);
});

test("what fails at the jump host is said of the jump host", () => {
  const jump = { address: "203.0.113.5", port: 22, user: "ops", hostKey: "ssh-ed25519 AAAA" };
  const stderr = "ops@203.0.113.5: Permission denied (publickey).\r\nConnection closed by UNKNOWN port 65535\r\n";
  const said = connectionProblem({ ...target, jump }, { exitCode: 255, stdout: "", stderr });
  expect(said).toMatch(/^it refuses the login as ops\. .*That is the jump host 203\.0\.113\.5$/);
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

test("an answer that is none is shown, where nothing has failed", () => {
  const printed = { exitCode: 0, stdout: "Welcome to \u001b[1mlb1\n", stderr: "" };
  expect(connectionProblem(target, printed)).toBe(
    "it answered, but not as jtel-chatctl does ('Welcome to ?[1mlb1'). Does its login script print that, or run another command?",
  );
});
