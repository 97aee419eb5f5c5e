import { describe, expect, test } from "vitest";
import { bootable } from "../bootable.ts";
import { adoptsInstallationByHand } from "./client-messenger/by-hand.ts";
import { logsIn } from "./client-messenger/connection.ts";
import { holdsARestart } from "./client-messenger/held-restart.ts";
import { knowsWhatAStartHasLoaded } from "./client-messenger/loaded.ts";
import { lab, problems } from "./client-messenger/server.ts";
import { needsTheShare } from "./client-messenger/share.ts";
import { runsItsOwnUnit } from "./client-messenger/unit.ts";
import { updates } from "./client-messenger/update.ts";

describe.skipIf(!(await bootable("ClientMessenger on a booted host")))(
  "ClientMessenger on a server that people have worked on",
  () => {
    describe("looking at the database", () => {
      test("a name that does not resolve, a closed port and another service are told apart", async () => {
        expect(await problems()).toEqual([]);
        expect((await problems({ database: { host: "acd-dbx" } })).join()).toMatch(
          /name acd-dbx does not resolve here/,
        );
        const address = lab().hosts["acd-dbm"]?.address as string;
        const at = (port: number) => problems({ database: { port } }).then((found) => found.join());
        expect(await at(22)).toContain(`acd-dbm does not answer (${address}, port 22: what answers is no MySQL`);
        expect(await at(3399)).toMatch(/port 3399: (?:nothing listens there|no answer within 3 s)/);
      });
    });

    adoptsInstallationByHand();
    logsIn();
    updates();
    runsItsOwnUnit();
    knowsWhatAStartHasLoaded();
    holdsARestart();
    needsTheShare();
  },
);
