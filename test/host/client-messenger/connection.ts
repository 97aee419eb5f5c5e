import { describe, expect, test } from "vitest";
import { minutes } from "../../../lab/deadline.ts";
import type { Database } from "../../../render/client-messenger/jdbc-url.ts";
import { apply, type Change, documents, drift, givePassword, lab, said, status, up, warnings } from "./server.ts";

/** The connection to the database. */
export const logsIn = (): void => {
  describe("the connection", () => {
    const printableAscii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
    const login = (password: string): Change => ({ database: { user: "chat", password } });

    test.each([
      ["every printable ASCII character", printableAscii],
      ["the same backwards, and characters beyond", `${[...printableAscii].reverse().join("")}ä€😀`],
      ["only characters beyond", "äöüß€😀ñ"],
      ["what ends layers", `'"\\\`$&#%00%27+;`],
    ])(
      "with a password of %s logs in by the program's own driver",
      async (_, password) => {
        await givePassword(password);
        const { exitCode, output } = await apply(
          "messenger-secret",
          documents(login(password))["messenger-secret"] ?? "",
        );
        expect(output).toMatch(/^\/etc\/jtel-chat\/clientmessenger\.args [0-9a-f]{16}$/);
        expect(exitCode).toBe(0);
        expect(await said("stat -c '%a %U' /etc/jtel-chat/clientmessenger.args")).toBe("600 root");
      },
      2 * minutes,
    );

    test(
      "that the database refuses changes nothing, and the message names what is wrong but no password",
      async () => {
        await givePassword("right & good");
        await up(login("right & good"));
        const before = await said("sha256sum /etc/jtel-chat/clientmessenger.args");
        const refused = async (database: Partial<Database>, line: RegExp) => {
          const change = { database: { ...login("right & good").database, ...database } };
          const { exitCode, output } = await apply("messenger-secret", documents(change)["messenger-secret"] ?? "");
          expect(output).toMatch(line);
          expect(output).not.toMatch(/s3cret|right &|right%/);
          expect(exitCode).toBe(3);
        };
        await refused(
          { password: "s3cret & bad" },
          /acd-dbm does not let ClientMessenger in: it denies the access of chat/,
        );
        await refused(
          { name: "JTELWebb" },
          /(?:it has no database JTELWebb|chat has no right to the database JTELWebb)/,
        );
        await refused(
          { user: "root", password: lab().database.password, name: "JTELWebb" },
          /it has no database JTELWebb/,
        );
        await refused({ host: "acd-dbx" }, /name acd-dbx does not resolve here/);
        await refused(
          { parameters: { sslMode: "VERIFY_CA" } },
          /does not let ClientMessenger in: .*database\.parameters/,
        );
        expect(await said("sha256sum /etc/jtel-chat/clientmessenger.args")).toBe(before);
        expect(await said("ls /run/jtel-chat | grep -c confined; true")).toBe("0");
        expect(await drift()).toEqual([]);
        expect((await status()).database).toBe("ok");
      },
      4 * minutes,
    );

    test(
      "takes parameters of the driver and another port",
      async () => {
        const password = "right & good";
        const parameters = { sslMode: "DISABLED", allowPublicKeyRetrieval: "true", applicationName: "a b&c" };
        const { exitCode, output } = await apply(
          "messenger-secret",
          documents({ database: { user: "chat", password, parameters } })["messenger-secret"] ?? "",
        );
        expect(exitCode, output).toBe(0);
      },
      minutes,
    );

    test(
      "reaches Java 8 as a variable, with a warning that says who can read it",
      async () => {
        const change: Change = { javaVersion: 8, ...login(`'"\\\`$&#%+ ä€😀`) };
        await givePassword(change.database?.password ?? "");
        await up(change);
        expect((await status()).database).toBe("ok");
        expect((await warnings(change)).join()).toContain("reads it with ps");
        expect(await said("stat -c '%a %U' /etc/jtel-chat/clientmessenger.env")).toBe("600 root");
        expect(await said("ls /etc/jtel-chat")).toBe("clientmessenger.env");
        await up();
        expect(await said("ls /etc/jtel-chat")).toBe("clientmessenger.args");
        expect((await status()).database).toBe("ok");
      },
      4 * minutes,
    );
  });
};
