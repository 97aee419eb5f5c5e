import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyCommand, undoCommand } from "../../hosts/launcher.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import {
  connectionSection,
  type Database,
  home,
  type Installation,
  installationSections,
  releaseFolder,
  runningSection,
  unitName,
  unitSection,
} from "../../render/client-messenger.ts";
import { document, documentDigest } from "../../render/document.ts";
import { hostTool } from "../../render/host-tool.ts";
import { bootable } from "../bootable.ts";

const runnable = await bootable("ClientMessenger on a booted host");

const name = `messenger-${process.pid}`;
const vendor = `/home/jtel/shared/${releaseFolder}`;
const system = `/etc/systemd/system/${unitName}`;
const mounted = { path: "/home/jtel/shared", hosted: false };
let lab: Lab;
let host: LabHost;

/** What a test wants to be different from the stack that most of them use. */
interface Change extends Partial<Pick<Installation, "share" | "release" | "javaVersion" | "unit">> {
  database?: Partial<Database>;
  restart?: "hold" | "roll";
}

const values = ({ database, ...change }: Change) => ({
  share: mounted,
  release: "hold",
  javaVersion: 17,
  unit: { accept: [], limits: [] },
  ...change,
  database: {
    ...{ host: "acd-dbm", port: 3306, name: "JTELWeb", user: "root", password: lab.database.password },
    ...{ characterEncoding: "utf8", serverTimezone: "Europe/Berlin", parameters: {} },
    ...database,
  },
});

/** The documents of a chat server's steps, in their order. */
const documents = (change: Change = {}): Record<string, string> => {
  const given = values(change);
  const secret = document(connectionSection(given.database, given));
  const installation = document(...installationSections(given));
  const hazelcast = document({
    kind: "files",
    name: `${home}/conf/hazelcast.xml`,
    fields: { from: `${given.share.path}/hazelcast.xml`, "loaded-by": unitName },
  });
  const loads = [
    `hazelcast ${documentDigest(hazelcast)}`,
    `messenger ${documentDigest(installation)}`,
    `messenger-secret ${documentDigest(secret)}`,
  ];
  return {
    hazelcast,
    "messenger-secret": secret,
    messenger: installation,
    "messenger-running": document(runningSection(loads, [], change.restart ?? "roll")),
  };
};

const apply = async (step: string, text: string) => {
  const launch = applyCommand(step, { generation: 1, reason: "test" });
  const { exitCode, stdout, stderr } = await host.exec(launch, { input: text, user: "deploy" });
  return { exitCode, output: stdout + stderr };
};

/** Every step, each of which has to succeed; what they printed. */
const up = async (change: Change = {}): Promise<string> => {
  let printed = "";
  for (const [step, text] of Object.entries(documents(change))) {
    const { exitCode, output } = await apply(step, text);
    expect(exitCode, output).toBe(0);
    printed += output;
  }
  return printed;
};

const destroy = async (): Promise<void> => {
  for (const step of ["messenger-running", "messenger", "messenger-secret", "hazelcast"]) {
    const { exitCode, stderr } = await host.exec(undoCommand(step));
    expect(exitCode, stderr).toBe(0);
  }
};

interface Answer {
  drifted: boolean;
  reason: string;
  problems: string[];
  warnings: string[];
}

/** What a preview would see; a secret is not sent along. */
const look = (change: Change = {}): Promise<Record<string, Answer>> => {
  const { messenger, hazelcast } = documents(change);
  return ask({ hazelcast, messenger, "messenger-secret": null, "messenger-running": null });
};

const ask = async (steps: Record<string, string | null | undefined>): Promise<Record<string, Answer>> => {
  const { stdout, stderr } = await host.exec("jtel-chatctl look", { input: `${JSON.stringify({ steps })}\n` });
  const line = stdout.split("\n").find((each) => each.startsWith("\u001ejtel-chatctl "));
  if (!line) throw new Error(stderr);
  return JSON.parse(line.slice("\u001ejtel-chatctl ".length)).steps;
};

const problems = async (change: Change = {}) => Object.values(await look(change)).flatMap((answer) => answer.problems);
const warnings = async (change: Change = {}) => Object.values(await look(change)).flatMap((answer) => answer.warnings);
/** What the running process is to the host's files, where that is not what the last apply has left. */
const runs = async (): Promise<string[]> =>
  JSON.parse(await said("jtel-chatctl status --json"))["messenger-running"].drift.filter((item: string) =>
    item.includes(" runs: "),
  );

const drift = async () => Object.values(await look()).flatMap(({ drifted, reason }) => (drifted ? [reason] : []));

const said = async (script: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.exec(script);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};

const run = (script: string) => host.exec(script);

const pythonGet =
  "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:3000/status\", timeout=5).read().decode())'";

/** What ClientMessenger itself says about its database, by its own connection. */
const status = (): Promise<{ database: string }> =>
  until("ClientMessenger's status", 60, async () => {
    const { exitCode, stdout } = await host.exec(pythonGet);
    return exitCode === 0 ? JSON.parse(stdout) : undefined;
  });

const starts = async (): Promise<number> => Number(await said(`journalctl -u ${unitName} | grep -c 'Started '; true`));

const installedRelease = async (): Promise<string> =>
  JSON.parse(await said("jtel-chatctl status --json")).messenger.release;

/** Bytes, modes and owners of everything that a person may have made. */
const ownedByCustomer = () =>
  said(`find ${home} ${system}* /usr/local/bin /etc/jtel-chat -xdev -printf '%p %y %m %u %l\\n' 2>/dev/null | sort
    find ${home} ${system}* /usr/local/bin -xdev -type f -exec sha256sum {} + | sort`);

/** In the database's own client; `value` is its variable @value, so that no layer in between reads it. */
const sql = async (statement: string, value = ""): Promise<void> => {
  const hex = Buffer.from(value).toString("hex");
  const text = `SET @value = CONVERT(UNHEX('${hex}') USING utf8mb4);\n${statement};\n`;
  const { exitCode, stderr } = await (lab.hosts["acd-dbm"] as LabHost).exec(
    "mariadb --default-character-set=utf8mb4 --batch",
    { input: text },
  );
  expect(exitCode, stderr).toBe(0);
};

/** The user `chat`, with a password that may hold anything. */
const givePassword = (password: string) =>
  sql(
    `EXECUTE IMMEDIATE CONCAT("CREATE OR REPLACE USER chat@'%' IDENTIFIED BY ", QUOTE(@value));
     GRANT ALL ON JTELWeb.* TO chat@'%'`,
    password,
  );

/** A release on the share that differs from the one before. */
const offer = (version: string) =>
  said(`cd ${vendor}/bin && rm -f version-* && echo ${version} > version-${version}.txt`);

describe.skipIf(!runnable)("ClientMessenger on a server that people have worked on", () => {
  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["acd-dbm", "chatserver1"], java: true, temporary: true });
    host = lab.hosts.chatserver1 as LabHost;
    await host.exec("cat > /usr/local/sbin/jtel-chatctl; chmod 755 /usr/local/sbin/jtel-chatctl", {
      input: hostTool(),
    });
    // A member whose host is off would be waited for at every start.
    await host.exec(`sed -i '/${lab.hosts.chatserver2?.address}</d' /home/jtel/shared/hazelcast.xml`);
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  describe("looking at the database", () => {
    test("a name that does not resolve, a closed port and another service are told apart", async () => {
      expect(await problems()).toEqual([]);
      expect((await problems({ database: { host: "acd-dbx" } })).join()).toMatch(/name acd-dbx does not resolve here/);
      const address = lab.hosts["acd-dbm"]?.address as string;
      const at = (port: number) => problems({ database: { port } }).then((found) => found.join());
      expect(await at(22)).toContain(`acd-dbm does not answer (${address}, port 22: what answers is no MySQL`);
      expect(await at(3399)).toMatch(/port 3399: (?:nothing listens there|no answer within 3 s)/);
    });
  });

  describe("an installation by hand", () => {
    let byHand: string;

    /** The vendor's procedure, typed in by a person who did one step twice. */
    const installByHand = async (): Promise<void> => {
      const password = encodeURIComponent(lab.database.password).replaceAll("%", "%%").replaceAll("'", "%%27");
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
        expect(shown).not.toContain(encodeURIComponent(lab.database.password).slice(0, 8));
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
          { user: "root", password: lab.database.password, name: "JTELWebb" },
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

  describe("updatesc.sh", () => {
    test(
      "installs the share's release, restarts, and is no drift",
      async () => {
        await up();
        const [before, release] = [await starts(), await installedRelease()];
        await offer("two");
        expect((await host.exec("updatesc.sh", { user: "jtel" })).stderr).toMatch(/only root can update\. Use sudo$/);
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
      expect((await host.exec(script, { input: bytes.toString("base64") })).exitCode).toBe(0);
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
      const before = await said(`cat ${system}; ls /etc/cron.d`);
      const bad = given
        .replace("User=jtel", "User=root\nStandardOutput=append:/etc/cron.d/x\nEnvironment=LD_PRELOAD=/home/jtel/x.so")
        .replace("ExecStartPre=/bin/true", "ExecStartPre=+/bin/touch /etc/by-root");
      await ship(bad);
      const trial = document(unitSection(values({})));
      const found = (await ask({ trial })).trial?.problems.join("\n");
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
      expect(await said(`cat ${system}; ls /etc/cron.d`)).toBe(before);
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
        const secret = encodeURIComponent(lab.database.password).slice(0, 8);
        expect(await said("stat -c '%a %U' /run/jtel-clientmessenger")).toBe("700 jtel");
        expect(await said(`grep -c 'SIGSEGV' /run/jtel-clientmessenger/hs_err.log`)).not.toBe("0");
        expect(
          await said(
            `find / /tmp /dev/shm -xdev -type f '(' -name 'hs_err*' -o -name core -o -name 'core.[0-9]*' ')' 2>/dev/null; true`,
          ),
        ).toBe("");
        expect((await host.exec("cat /run/jtel-clientmessenger/hs_err.log", { user: "deploy" })).stderr).toContain(
          "Permission denied",
        );
        expect(await said(`grep -rl '${secret}' /tmp /var/tmp /home/jtel/ClientMessenger 2>/dev/null; true`)).toBe("");
        expect(await runs()).toEqual([]);
      },
      2 * minutes,
    );
  });

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
        await host.kill();
        await host.start();
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
        expect(await said("ls /var/lib/jtel-chat/unproven | wc -l")).toBe("3");
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
});
