import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { unitSection } from "../../../render/client-messenger/unit.ts";
import { document } from "../../../render/document.ts";
import { vendor } from "../chat-server-steps.ts";
import { apply, drift, host, lab, problems, run, runs, said, status, system, tool, up, values } from "./server.ts";

/** The unit that is made from the vendor's. */
export const runsItsOwnUnit = (): void => {
  describe("the unit", () => {
    /** The words that systemd would start. */
    const argv = async (unit: string): Promise<string[]> =>
      JSON.parse(
        await said(`busctl --json=short get-property org.freedesktop.systemd1 \
          "$(busctl --json=short call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager LoadUnit s ${unit} | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])')" \
          org.freedesktop.systemd1.Service ExecStart`),
      ).data[0][1];

    const given = `[Service]
User=jtel
Environment=V=w
ExecStartPre=/bin/true
ExecStart=/usr/bin/java -Xmx96m \\
  -Dde.jtel.platform.clientmessenger.connection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=<password>&x=%%z \\
  -Dname="a b" 'c  d' \${V} $V "\${V}x" \\
  -cp /x/* Main
`;
    const oneLine = (unit: string) => unit.replaceAll(/\\\n\s*/g, "");
    const command = (unit: string) => oneLine(unit).match(/^ExecStart=.+$/m)?.[0] ?? "";

    /** Have systemd read bytes as the unit `trial`, and put them where the installed release's unit is. */
    const ship = async (unit: string): Promise<void> => {
      const bytes = Buffer.from(unit, unit.includes("\u00e4") ? "latin1" : "utf8");
      const script = `base64 -d > ${home}/systemd/${unitName} && cp ${home}/systemd/${unitName} /etc/systemd/system/trial.service
        systemctl daemon-reload`;
      expect((await host().exec(script, { input: bytes.toString("base64") })).exitCode).toBe(0);
    };

    beforeAll(async () => {
      await up();
      await said(`cp -p ${home}/systemd/${unitName} /root/vendors`);
      await said("mv /var/lib/jtel-chat/releases /root/releases"); // with root's own copy, what lies in the program's folder is not asked
    });

    afterAll(async () => {
      await run(
        `cp -p /root/vendors ${home}/systemd/${unitName}; rm -f /etc/systemd/system/trial.service; jtel-chatctl undo trial
          rm -rf /var/lib/jtel-chat/releases; mv /root/releases /var/lib/jtel-chat/releases`,
      );
    });

    test.each([
      ["as the vendor ships it", (unit: string) => unit],
      ["with CRLF", (unit: string) => unit.replaceAll("\n", "\r\n")],
      ["on one line", oneLine],
      ["with comments between", (unit: string) => unit.replace("  -cp", "# a\n   ; b \\\n  -cp")],
      ["with a byte order mark", (unit: string) => `\ufeff${unit}`],
      ["with Latin-1 in a comment", (unit: string) => `# \u00e4\n${unit}`],
      [
        "with accepted prefixes",
        (unit: string) => oneLine(unit).replace("ExecStart=/usr/bin/java", "ExecStart=-@/usr/bin/java chat"),
      ],
      [
        "with an accepted colon",
        (unit: string) => oneLine(unit).replace("ExecStart=/usr/bin/java", "ExecStart=:/usr/bin/java"),
      ],
      ["with a reset", (unit: string) => unit.replace("ExecStart=/", "ExecStart=/bin/true\nExecStart=\nExecStart=/")],
      ["with a quoted argument", (unit: string) => unit.replace(/(-Dde\S+)/, '"$1"')],
    ])("%s: systemd starts the same words but the connection, and two of ours", async (_, change) => {
      await ship(change(given));
      const vendors = await argv("trial.service");
      const accept = /prefixes|colon/.test(_) ? [command(change(given))] : [];
      const section = unitSection({ ...values({}), unit: { accept, limits: [] } });
      const { exitCode, output } = await apply("trial", document(section));
      expect(exitCode, output).toBe(0);
      const ours = await argv(unitName);
      const place = vendors.findIndex((word) => word.includes("clientmessenger.connection="));
      expect(ours.slice(1, 3)).toEqual(["-XX:-UsePerfData", "-XX:ErrorFile=/run/jtel-clientmessenger/hs_err.log"]);
      expect(ours[place + 2]).toMatch(/^@.*clientmessenger\.args$/);
      expect(ours.toSpliced(1, 2)).toEqual(vendors.with(place, ours[place + 2] ?? ""));
      expect(await said(`systemctl show --value -p LoadState -p LoadError ${unitName}`)).toBe("loaded");
    });

    test("that would make somebody root is refused line by line, on the share and in the installed release, and nothing changes", async () => {
      const before = await said(`cat ${system}; ls /etc/cron.d 2>/dev/null || true`);
      const bad = given
        .replace("User=jtel", "User=root\nStandardOutput=append:/etc/cron.d/x\nEnvironment=LD_PRELOAD=/home/jtel/x.so")
        .replace("ExecStartPre=/bin/true", "ExecStartPre=+/bin/touch /etc/by-root");
      await ship(bad);
      const trial = document(unitSection(values({})));
      const found = (await tool.look({ trial })).trial?.problems.join("\n");
      for (const line of [
        "line 2: 'User=root'",
        "line 3: 'StandardOutput=append",
        "line 4: 'Environment=LD_PRELOAD",
        "line 6: 'ExecStartPre=+",
      ])
        expect(found).toContain(line);
      const { exitCode, output } = await apply("trial", trial);
      expect(exitCode).toBe(3);
      expect(output).toContain('clientMessenger.unit.accept: ["ExecStartPre=+/bin/touch /etc/by-root"]');
      await said(`cp -p /root/vendors ${home}/systemd/${unitName}; cd ${vendor}/systemd
        cp ${unitName} /root/offered; sed -i 's/^User=jtel/User=root/' ${unitName}`);
      expect((await problems({ release: "follow" })).join()).toContain("'User=root'");
      await said(`cp /root/offered ${vendor}/systemd/${unitName}`);
      expect(await said(`cat ${system}; ls /etc/cron.d 2>/dev/null || true`)).toBe(before);
      expect(await said("ls /etc/by-root 2>/dev/null; true")).toBe("");
    });

    test(
      "may do no more than its user: no capabilities, no new ones, and the limits that a person has asked for",
      async () => {
        await up({ unit: { accept: [], limits: ["files", "tmp", "network"] } });
        expect((await status()).database).toBe("ok");
        const own = `/proc/$(systemctl show --value -p MainPID ${unitName})`;
        expect(await said(`grep -E '^(Cap(Bnd|Eff|Amb)|NoNewPrivs)' ${own}/status | tr '\\t\\n' ' '`)).toBe(
          "CapEff: 0000000000000000 CapBnd: 0000000000000000 CapAmb: 0000000000000000 NoNewPrivs: 1",
        );
        const inside = (script: string) =>
          said(
            `nsenter -m -t $(basename ${own}) setpriv --reuid jtel --regid jtel --clear-groups sh -c '${script}' 2>&1; true`,
          );
        expect(await inside("touch /home/jtel/in && rm /home/jtel/in && echo written")).toBe("written");
        expect(
          await inside(
            "touch /home/jtel/shared/Data/clients/in && rm /home/jtel/shared/Data/clients/in && echo written",
          ),
        ).toBe("written");
        expect(
          await inside("touch /var/tmp/x && ls /tmp | wc -l; touch /var/lib/x; touch /dev/shm/x && rm /dev/shm/x"),
        ).toMatch(/^0\n.*Read-only file system$/);
        expect(await said(`systemctl show --value -p RestrictAddressFamilies ${unitName}`)).toContain("AF_NETLINK");
        await up();
        expect((await status()).database).toBe("ok");
        expect(await drift()).toEqual([]);
      },
      3 * minutes,
    );

    test(
      "of a JVM that crashes leaves what holds the password to its user only",
      async () => {
        const pid = await said(`systemctl show --value -p MainPID ${unitName}`);
        expect(await said("ls /tmp/hsperfdata_jtel 2>/dev/null; true")).toBe("");
        await said(`kill -SEGV ${pid}`);
        await until("the restart after the crash", 60, async () =>
          (await said(`systemctl show --value -p MainPID ${unitName}`)) === pid ? undefined : true,
        );
        expect((await status()).database).toBe("ok");
        const secret = encodeURIComponent(lab().database.password).slice(0, 8);
        expect(await said("stat -c '%a %U' /run/jtel-clientmessenger")).toBe("700 jtel");
        expect(await said(`grep -c 'SIGSEGV' /run/jtel-clientmessenger/hs_err.log`)).not.toBe("0");
        expect(
          await said(
            `find / /tmp /dev/shm -xdev -type f '(' -name 'hs_err*' -o -name core -o -name 'core.[0-9]*' ')' 2>/dev/null; true`,
          ),
        ).toBe("");
        expect((await host().exec("cat /run/jtel-clientmessenger/hs_err.log", { user: "deploy" })).stderr).toContain(
          "Permission denied",
        );
        expect(await said(`grep -rl '${secret}' /tmp /var/tmp /home/jtel/ClientMessenger 2>/dev/null; true`)).toBe("");
        expect(await runs()).toEqual([]);
      },
      2 * minutes,
    );
  });
};
