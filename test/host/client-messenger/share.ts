import { describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { unitName } from "../../../render/client-messenger/places.ts";
import { apply, documents, drift, host, ownedByCustomer, problems, said, status, up, warnings } from "./server.ts";

/** The share that the release comes from. */
export const needsTheShare = (): void => {
  describe("the share", () => {
    test("that is not mounted, or empty, is named, and nothing is lost", async () => {
      await up();
      const before = await ownedByCustomer();
      await said("umount /home/jtel/shared");
      expect((await problems()).join()).toContain("the share is not mounted at /home/jtel/shared. Mount it");
      expect((await apply("messenger", documents({ release: "follow" }).messenger ?? "")).exitCode).toBe(3);
      await said("mount -t tmpfs none /home/jtel/shared");
      expect((await problems({ release: "follow" })).join()).toContain("holds no release (no folder bin/ with files");
      expect((await apply("messenger", documents({ release: "follow" }).messenger ?? "")).exitCode).toBe(3);
      await said("umount /home/jtel/shared && mount /home/jtel/shared");
      expect(await ownedByCustomer()).toBe(before);
      expect(await drift()).toEqual([]);
    });

    test(
      "that comes up after the boot is mounted by the next try of a start, which nobody has stopped on purpose",
      async () => {
        await up();
        // A file in the place of the share's folder: like a server that is off, it lets the mount fail.
        await said(`touch /media/late
          sed -i 's#^/media/share\\s.*#/media/late /home/jtel/shared none bind,_netdev 0 0#' /etc/fstab`);
        await host().kill();
        await host().start();
        await until("a start without the share", 60, async () =>
          (await said(`journalctl -b -u ${unitName}`)).includes("The service starts when it is") ? true : undefined,
        );
        expect(await said("systemctl is-failed home-jtel-shared.mount")).toBe("failed");
        await said("rm /media/late && ln -s /media/share /media/late");
        expect((await status()).database).toBe("ok");
        expect(await drift()).toEqual([]);

        await said(`systemctl stop ${unitName}; umount /home/jtel/shared; mount /home/jtel/shared`);
        expect(await said(`systemctl is-active ${unitName} || true`)).toBe("inactive");
      },
      3 * minutes,
    );

    test(
      "that this server hosts keeps the attachments in the vendor's other folder",
      async () => {
        const hosted = { path: "/home/jtel/shared", hosted: true };
        await said(`mkdir -p /srv/jtel && cp -a /home/jtel/shared /srv/jtel/shared && umount /home/jtel/shared
          rmdir /home/jtel/shared && ln -s /srv/jtel/shared /home/jtel/shared`);
        expect((await warnings({ share: hosted })).join()).toContain("beside it is 'clients'");
        await said("mv /srv/jtel/shared/Data/clients /srv/jtel/shared/Data/Clients");
        expect(await problems({ share: hosted })).toEqual([]);
        await up({ share: hosted });
        expect((await status()).database).toBe("ok");
        const environment = `tr '\\0' '\\n' < /proc/$(systemctl show --value -p MainPID ${unitName})/environ | grep DATADIR`;
        expect(await said(environment)).toBe("DATADIR=/srv/jtel/shared/Data/Clients/");
        expect(await said(`systemctl show -p RequiresMountsFor ${unitName}`)).not.toContain("/home/jtel/shared");
        await said("rm /home/jtel/shared");
        expect((await problems({ share: hosted, release: "follow" })).join()).toContain(
          "Is the link to the hosted share",
        );
      },
      3 * minutes,
    );
  });
};
