import { describe, expect, test } from "vitest";
import { minutes } from "../../../lab/deadline.ts";
import { unitName } from "../../../render/client-messenger/places.ts";
import { drift, look, said, status, up, warnings } from "./server.ts";

/** `restart: hold`. */
export const holdsARestart = (): void => {
  describe("a restart that is held", () => {
    test(
      "stays owed, is said by every look and is no drift, until an up may restart",
      async () => {
        await up({ restart: "hold" });
        const pid = await said(`systemctl show --value -p MainPID ${unitName}`);
        const hidden = { database: { parameters: { applicationName: "held" } } };
        expect(await up({ restart: "hold", ...hidden })).toMatch(
          /restart owed: .*clientmessenger\.args changed since its start/,
        );
        expect(await said(`systemctl show --value -p MainPID ${unitName}`)).toBe(pid);
        const seen = (await look({ restart: "hold" }))["messenger-running"];
        expect(seen).toMatchObject({
          drifted: false,
          problems: [],
          warnings: [expect.stringContaining("restart owed: ")],
        });
        // The secret's is not kept: it holds the connection before, with its password.
        expect(await said("ls /var/lib/jtel-chat/unproven | sed 's/^[0-9]*-//' | sort")).toBe("hazelcast\nmessenger");
        expect(await up(hidden)).toMatch(/restarted .*clientmessenger\.args changed since its start/);
        expect(await said("ls /var/lib/jtel-chat/unproven 2>/dev/null | wc -l")).toBe("0");
        expect((await warnings(hidden)).join()).not.toContain("restart owed");
        expect(await drift()).toEqual([]);
        await up();
      },
      3 * minutes,
    );

    test(
      "ends where the service does not run: it is started in any case",
      async () => {
        await up({ restart: "hold" });
        await said(`systemctl stop ${unitName}`);
        expect(await drift()).not.toEqual([]);
        expect(await up({ restart: "hold" })).toContain("it was not running");
        expect((await status()).database).toBe("ok");
        await up();
      },
      2 * minutes,
    );
  });
};
