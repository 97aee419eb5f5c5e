import { describe, expect, test } from "vitest";
import { minutes } from "../../../lab/deadline.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { vendor } from "../chat-server-steps.ts";
import {
  destroy,
  drift,
  lab,
  ownedByCustomer,
  problems,
  run,
  said,
  starts,
  status,
  system,
  up,
  warnings,
} from "./server.ts";

/** A server on which a person has followed the vendor's page. */
export const adoptsInstallationByHand = (): void => {
  describe("an installation by hand", () => {
    let byHand: string;

    /** The vendor's procedure, typed in by a person who did one step twice. */
    const installByHand = async (): Promise<void> => {
      const password = encodeURIComponent(lab().database.password).replaceAll("%", "%%").replaceAll("'", "%%27");
      const script = `
        cp -R ${vendor}/ ${home} && cp -R ${vendor}/ ${home}
        sed 's/<hazelcast/<!-- own -->\\n<hazelcast/' /home/jtel/shared/hazelcast.xml > ${home}/conf/hazelcast.xml
        cd ${home}/systemd
        python3 - <<'END'
import pathlib
unit = pathlib.Path("${unitName}")
text = unit.read_text().replace("<password>", """${password}""").replace("/srv/jtel/shared/Data/Clients/", "/home/jtel/shared/Data/clients/")
unit.write_text(text)
END
        chown -R jtel:jtel ${home}
        cp ${unitName} /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now ${unitName}
        printf '#!/bin/sh\\nservice jtel-clientmessenger stop\\ncp -R ${vendor}/bin/* ${home}/bin\\n' > /usr/local/bin/updatesc.sh
        chmod 755 /usr/local/bin/updatesc.sh`;
      const { exitCode, stderr } = await run(script);
      expect(exitCode, stderr).toBe(0);
    };

    test(
      "is adopted: nothing of it is lost, the nested copy is named, chat restarts once",
      async () => {
        await installByHand();
        expect((await status()).database).toBe("ok");
        byHand = await ownedByCustomer();
        const before = await starts();
        const warned = (await warnings()).join("\n");
        expect(warned).toContain(`${home}/ClientMessenger is a second copy (release `);
        expect(warned).toContain(`${home}/systemd/${unitName} holds a password`);
        expect(await problems()).toEqual([]);
        await up();
        expect(await starts()).toBe(before + 1);
        expect((await status()).database).toBe("ok");
        const kept = byHand
          .split("\n")
          .filter((line) => !/hazelcast\.xml|updatesc\.sh|\/usr\/local\/bin|\/etc\/systemd/.test(line));
        const now = (await ownedByCustomer()).split("\n");
        for (const line of kept.filter((each) => !each.startsWith(`${home} `))) expect(now).toContain(line);
        expect(await said(`stat -c %a ${system}; ls -d ${system}.d 2>/dev/null; true`)).toBe("644");
        const shown = await said(
          `systemctl show ${unitName}; systemctl cat ${unitName}; ps axww; jtel-chatctl diff; jtel-chatctl status`,
        );
        expect(shown).not.toContain(encodeURIComponent(lab().database.password).slice(0, 8));
        expect(await drift()).toEqual([]);
      },
      5 * minutes,
    );

    test(
      "is given back by a destroy, and runs again as it did",
      async () => {
        await destroy();
        expect(await ownedByCustomer()).toBe(byHand);
        expect(await said("ls /etc/systemd/system | grep -c attest; true")).toBe("0");
        expect((await status()).database).toBe("ok");
        await run(
          `systemctl disable --now ${unitName}; rm -rf ${home} ${system} /usr/local/bin/updatesc.sh; systemctl daemon-reload`,
        );
      },
      3 * minutes,
    );
  });
};
