import { beforeAll, describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { drift, host, runs, said, status, up } from "./server.ts";

/** What the running process is to the files on the host. */
export const knowsWhatAStartHasLoaded = (): void => {
  describe("what a start has loaded", () => {
    const started = async (): Promise<string> => {
      await status();
      return said(`systemctl show --value -p InvocationID ${unitName}`);
    };
    const loadedFile = `${home}/conf/hazelcast.xml`;

    beforeAll(async () => {
      await up();
    });

    test.each([
      ["a restart by hand", `systemctl restart ${unitName}`],
      ["a stop and a start by hand", `systemctl stop ${unitName}; systemctl start ${unitName}`],
      ["two restarts in a row", `for _ in 1 2; do systemctl restart ${unitName}; done`],
      [
        "systemd reading its units anew",
        `systemctl restart ${unitName}; systemctl daemon-reload; systemctl daemon-reexec`,
      ],
    ])("is attested by %s", async (_, script) => {
      const before = await started();
      await said(script);
      expect(await started()).not.toBe(before);
      expect(await drift()).toEqual([]);
    });

    test.each(["KILL", "ABRT"])("is attested by the restart that systemd makes after a %s", async (signal) => {
      const before = await started();
      await said(`kill -${signal} $(systemctl show --value -p MainPID ${unitName})`);
      await until("systemd's restart", 60, async () => {
        const shown = await said(`systemctl show --value -p ActiveState -p InvocationID ${unitName}`);
        return shown.includes("active") && !shown.includes("activating") && !shown.includes(before) ? true : undefined;
      });
      await started();
      expect(await drift()).toEqual([]);
    });

    test("stays attested when somebody asks for a start of what is started", async () => {
      const before = await started();
      await said(`systemctl start ${unitName}; systemctl start multi-user.target; systemctl start jtel-chat-attest`);
      expect(await started()).toBe(before);
      expect(await drift()).toEqual([]);
    });

    test(
      "is attested by a boot",
      async () => {
        await host().kill();
        await host().start();
        await started();
        expect(await drift()).toEqual([]);
      },
      2 * minutes,
    );

    test(
      "is what was there between stop and start; what changes after the start is owed",
      async () => {
        await said(`systemctl stop ${unitName}; echo '<!-- a -->' >> ${loadedFile}; systemctl start ${unitName}`);
        await started();
        expect(await runs()).toEqual([]);
        await said(`sed -i '$d' ${loadedFile}`);
        expect(await runs()).toEqual([expect.stringMatching(/ runs: .*hazelcast\.xml changed since its start$/)]);
        await up();
        expect(await drift()).toEqual([]);
      },
      2 * minutes,
    );

    test.each([
      ["is masked", "ln -sf /dev/null /etc/systemd/system/jtel-chat-attest.service"],
      [
        "fails",
        "mkdir -p /run/systemd/system/jtel-chat-attest.service.d && printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > /run/systemd/system/jtel-chat-attest.service.d/x.conf",
      ],
      [
        "hangs",
        "mkdir -p /run/systemd/system/jtel-chat-attest.service.d && printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 99\\nTimeoutStartSec=2\\n' > /run/systemd/system/jtel-chat-attest.service.d/x.conf",
      ],
    ])(
      "is unknown where the attestation %s, and the start goes on",
      async (_, script) => {
        await said(`${script}; systemctl daemon-reload; systemctl restart ${unitName}`);
        await started();
        expect(await runs()).toEqual([expect.stringContaining(" runs: nothing noted what it has loaded")]);
        await said("rm -rf /run/systemd/system/jtel-chat-attest.service.d; systemctl daemon-reload");
        expect(await up()).toContain("since jtel-chat-attest.service did not run before its start");
        expect(await drift()).toEqual([]);
      },
      2 * minutes,
    );
  });
};
