import { expect, test } from "vitest";
import { haproxyOptions } from "../../config/schema.ts";
import { jdbcUrl } from "../../render/client-messenger/jdbc-url.ts";
import { argumentFileText, environmentFileText } from "../../render/client-messenger/messenger-secret.ts";
import { document } from "../../render/document.ts";
import { portalParameters } from "../../render/portal.ts";

const database = {
  host: "acd-dbm",
  port: 3306,
  name: "JTELWeb",
  user: "root",
  password: "p",
  characterEncoding: "utf8",
  serverTimezone: "Europe/Berlin",
  parameters: {},
};

test("the JDBC URL is the vendor's", () => {
  expect(jdbcUrl(database)).toBe(
    "jdbc:mysql://acd-dbm/JTELWeb?user=root&password=p&characterEncoding=utf8&serverTimezone=Europe/Berlin",
  );
});

const printableAscii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

/** Each character alone and between letters, all of them in a row, and next to each that a layer treats in its own way. */
const passwords = [
  ...[...printableAscii, "ä", "€", "😀"].flatMap((character) => [character, `a${character}${character}1`]),
  printableAscii.join(""),
  ...["\\", '"', "%", "&", "$", "'", "#"].map((awkward) => [...printableAscii].reverse().join(awkward)),
];

/** What java(1) makes of an argument file ("@argfiles"): quotes go, a backslash takes the next character as it is. */
const javaArgument = (text: string): string => text.trim().slice(1, -1).replaceAll(/\\(.)/g, "$1");

/** What systemd makes of an environment file: in double quotes a backslash escapes `"`, `\`, `` ` `` and `$`. */
const systemdVariable = (text: string): string =>
  text
    .trim()
    .slice('JTEL_CHAT_CONNECTION="'.length, -1)
    .replaceAll(/\\(["\\`$])/g, "$1");

/** What Connector/J takes as the password: split at `&`, cut at `#`, decoded as a form. */
const driversPassword = (argument: string): string | null =>
  new URLSearchParams(argument.split("#")[0]?.split("?")[1]).get("password");

test.each([
  ["an argument file", argumentFileText, javaArgument],
  ["an environment file", environmentFileText, systemdVariable],
])("every password reaches the driver as it is through %s of printable ASCII", (_, render, read) => {
  for (const password of passwords) {
    const text = render({ ...database, password });
    expect(text).toMatch(/^[\x21-\x7e]*\n$/);
    expect(driversPassword(read(text))).toBe(password);
  }
});

test("the URL names a port that is not MySQL's, brackets an IPv6 address and ends with the parameters", () => {
  const given = { ...database, host: "fd00::31", port: 3307, parameters: { useSSL: "false", "a b": "c&d" } };
  expect(jdbcUrl(given)).toMatch(/^jdbc:mysql:\/\/\[fd00::31\]:3307\/JTELWeb\?user=root&.*&useSSL=false&a%20b=c%26d$/);
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
  expect(() => document({ kind: "files", name: "/x\n# secret: /y", fields: {} })).toThrow("one line");
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

test("by default HAProxy notices a server that vanishes within 10 s, and a lost packet is no failed check", () => {
  const { check, timeout } = haproxyOptions.parse({});
  const [inter, fastinter, connect] = [check.inter, check.fastinter, timeout.connect].map((time) =>
    time.endsWith("ms") ? Number.parseInt(time, 10) : 1000 * Number.parseInt(time, 10),
  ) as [number, number, number];
  const [checks, repeatedSyn] = [3, 1000]; // HAProxy's "fall", and the kernel's first retransmission
  expect(inter + checks * connect + (checks - 1) * fastinter).toBeLessThanOrEqual(10_000);
  expect(connect).toBeGreaterThan(repeatedSyn);
});
