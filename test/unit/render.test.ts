import { expect, test } from "vitest";
import { applyCommand, printable } from "../../hosts/launcher.ts";
import { connectionProblem } from "../../hosts/observation.ts";
import { sshArguments } from "../../hosts/ssh.ts";
import { argumentFileText, jdbcUrl } from "../../render/client-messenger.ts";
import { document } from "../../render/document.ts";
import { portalParameters } from "../../render/portal.ts";

const database = {
  host: "acd-dbm",
  name: "JTELWeb",
  user: "root",
  password: "p",
  characterEncoding: "utf8",
  serverTimezone: "Europe/Berlin",
};

test("the JDBC URL is the vendor's", () => {
  expect(jdbcUrl(database)).toBe(
    "jdbc:mysql://acd-dbm/JTELWeb?user=root&password=p&characterEncoding=utf8&serverTimezone=Europe/Berlin",
  );
});

test("every printable ASCII character of a password survives the URL's decoding", () => {
  const password = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
  const query = jdbcUrl({ ...database, password }).split("?")[1] ?? "";
  expect(query).toMatch(/^[\x21-\x7e]*$/);
  expect(decodeURIComponent(query.split("&")[1]?.slice("password=".length) ?? "")).toBe(password);
});

test("the argument file holds one quoted argument, its backslashes and quotes escaped", () => {
  const text = argumentFileText({ ...database, host: 'a"b\\c' });
  expect(text).toMatch(/^"-Dde\.jtel\.platform\.clientmessenger\.connection=jdbc:mysql:\/\/a\\"b\\\\c\//);
});

test("block lines of a document cannot be taken for a section", () => {
  const text = document({ kind: "files", name: "/x", fields: { content: "# files: /y\n\nend\n" } });
  expect(text).toBe("# files: /x\ncontent:\n\t# files: /y\n\n\tend\n");
});

test("a value that would break a document's lines is refused", () => {
  expect(() => document({ kind: "files", name: "/x\n# secret: /y" })).toThrow("one line");
});

test("what a host says cannot leave its quotes in a command line", () => {
  const command = applyCommand("haproxy", { generation: 2, reason: "it's \u001b[31m$(reboot)\n`x`" });
  expect(command).toBe("sudo -n /usr/local/sbin/jtel-chatctl apply haproxy 2 'it'\\''s ?[31m$(reboot)?`x`'");
});

test("a long text from a host is cut", () => {
  expect(printable("x".repeat(1000))).toHaveLength(400);
});

const target = { address: "192.0.2.1", port: 2222, user: "deploy", hostKey: "ssh-ed25519 AAAA" };

test("ssh takes nothing from the user's own configuration and negotiates the pinned key's type only", () => {
  const argv = sshArguments(target, "/tmp/known");
  expect(argv.slice(0, 2)).toEqual(["-F", "none"]);
  expect(argv).toContain("StrictHostKeyChecking=yes");
  expect(argv).toContain("HostKeyAlgorithms=ssh-ed25519");
  expect(argv.at(-1)).toBe("192.0.2.1");
});

test("a jump host is reached with its own pinned key", () => {
  const argv = sshArguments(
    { ...target, jump: { ...target, address: "192.0.2.9", hostKey: "ssh-rsa BBBB" } },
    "/tmp/known",
  );
  const proxy = argv.find((argument) => argument.startsWith("ProxyCommand="));
  expect(proxy).toContain("HostKeyAlias=jump");
  expect(proxy).toContain("HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256");
  expect(proxy).toMatch(/-W \[%h\]:%p 192\.0\.2\.9$/);
});

test.each([
  ["Host key verification failed.", "not the pinned one"],
  ["deploy@192.0.2.1: Permission denied (publickey).", "ssh-add"],
  ["sudo: a password is required", "NOPASSWD"],
  ["ssh: connect to host 192.0.2.1 port 22: Connection timed out", "not reachable"],
  ["something new", "Run the command yourself"],
])("ssh's '%s' becomes an error with a remedy", (stderr, remedy) => {
  expect(connectionProblem(target, { exitCode: 255, stdout: "", stderr })).toContain(remedy);
});

test("portal parameters are the vendor's", () => {
  const whatsapp = {
    portal: "https://portal.acme.example",
    tyntecUrl: "https://api.tyntec.com/chat-api/v2",
    serviceNumber: "+498912345678",
  };
  expect(portalParameters({ scheme: "https", host: "chat.acme.example", port: 3003, whatsapp })).toEqual({
    "ACD.Chat.Script.Library.URL": "https://chat.acme.example:3003/gui/",
    "ACD.Chat.Server.Base.URL": "wss://chat.acme.example:3003",
    "ACD.Whatsapp.Server.Base.URL": "https://chat.acme.example:3003",
    "ACD.Whatsapp.Whatsapp.Url": "https://portal.acme.example:3003",
    "ACD.Whatsapp.Tyntec.Url": "https://api.tyntec.com/chat-api/v2/messages",
  });
});
