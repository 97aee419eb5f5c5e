import { describe, expect, test } from "vitest";
import { minutes } from "../../../lab/deadline.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { vendor } from "../chat-server-steps.ts";
import { drift, host, installedRelease, offer, problems, run, said, starts, status, up } from "./server.ts";

/** `updatesc.sh`, and the releases it brings. */
export const updates = (): void => {
  describe("updatesc.sh", () => {
    test(
      "installs the share's release, restarts, and is no drift",
      async () => {
        await up();
        const [before, release] = [await starts(), await installedRelease()];
        await offer("two");
        expect((await host().exec("updatesc.sh", { user: "jtel" })).stderr).toMatch(/only root can update\. Use sudo$/);
        const printed = await said("updatesc.sh");
        expect(printed).toMatch(/installed release [0-9a-f]{16} in/);
        expect(await installedRelease()).not.toBe(release);
        expect(await starts()).toBe(before + 1);
        expect(await said(`ls ${home}/bin`)).toContain("version-two.txt");
        expect(await drift()).toEqual([]);
        expect(await up()).not.toContain("restarted");
        expect(await said("jtel-chatctl log")).toMatch(/update messenger by root from .*: done/);
        expect(await said("jtel-chatctl status")).toContain(`release ${await installedRelease()}`);
      },
      3 * minutes,
    );

    test(
      "puts a release that does not start back, and chat goes on",
      async () => {
        const release = await installedRelease();
        await said(`cd ${vendor}/bin && mv clientmessenger.jar kept && echo broken > clientmessenger.jar`);
        const { exitCode, stderr } = await run("updatesc.sh");
        await said(`cd ${vendor}/bin && mv kept clientmessenger.jar`);
        expect(stderr).toContain(`Release ${release} was put back. ${unitName} is healthy again on its old files.`);
        expect(exitCode).toBe(1);
        expect(await installedRelease()).toBe(release);
        expect((await status()).database).toBe("ok");
        expect(await drift()).toEqual([]);
      },
      5 * minutes,
    );

    test(
      "refuses where the stack names a digest, which installs the kept release, and the share's again",
      async () => {
        const second = await installedRelease();
        await offer("three");
        await up({ release: "follow" });
        const third = await installedRelease();
        expect(third).not.toBe(second);
        await up({ release: second });
        expect(await installedRelease()).toBe(second);
        const { exitCode, stderr } = await run("updatesc.sh");
        expect(stderr).toContain(`the stack file says release ${second}. Change clientMessenger.release there`);
        expect(exitCode).toBe(3);
        await up({ release: third });
        expect(await installedRelease()).toBe(third);
        expect((await problems({ release: "0123456789abcdef" })).join()).toContain(`the share has ${third}`);
        await up();
      },
      5 * minutes,
    );
  });
};
