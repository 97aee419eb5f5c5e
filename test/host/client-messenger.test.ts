import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyCommand, undoCommand } from "../../hosts/launcher.ts";
import { until } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { labObstacle } from "../../lab/requirements.ts";
import {
  connectionSection,
  type Database,
  home,
  type Installation,
  installationSections,
  releaseFolder,
  runningSection,
  unitName,
} from "../../render/client-messenger.ts";
import { document, documentDigest } from "../../render/document.ts";
import { hostTool } from "../../render/host-tool.ts";

const obstacle = await labObstacle();
const runnable = !obstacle || process.env.CI === "true";
if (!runnable) console.warn(`SKIPPED: ClientMessenger on a booted host – ${obstacle}`);

const name = `messenger-${process.pid}`;
const minutes = 60_000;
const vendor = `/home/jtel/shared/${releaseFolder}`;
const system = `/etc/systemd/system/${unitName}`;
const mounted = { path: "/home/jtel/shared", hosted: false };
let lab: Lab;
let host: LabHost;

/** What a test wants to be different from the stack that most of them use. */
interface Change extends Partial<Pick<Installation, "share" | "release" | "javaVersion">> {
  database?: Partial<Database>;
}

const values = ({ database, ...change }: Change) => ({
  share: mounted,
  release: "hold",
  javaVersion: 17,
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
    fields: { from: `${given.share.path}/hazelcast.xml`, owner: "jtel:jtel", "loaded-by": unitName },
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
    "messenger-running": document(runningSection(loads, [])),
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
const look = async (change: Change = {}): Promise<Record<string, Answer>> => {
  const { messenger, hazelcast } = documents(change);
  const steps = { hazelcast, messenger, "messenger-secret": null, "messenger-running": null };
  const { stdout, stderr } = await host.exec("jtel-chatctl observe", { input: `${JSON.stringify({ steps })}\n` });
  const line = stdout.split("\n").find((each) => each.startsWith("\u001ejtel-chatctl "));
  if (!line) throw new Error(stderr);
  return JSON.parse(line.slice("\u001ejtel-chatctl ".length)).steps;
};

const problems = async (change: Change = {}) => Object.values(await look(change)).flatMap((answer) => answer.problems);
const warnings = async (change: Change = {}) => Object.values(await look(change)).flatMap((answer) => answer.warnings);
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
  }, 900_000);

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
        const asWritten = await said(`cmp ${home}/systemd/${unitName} ${system}; stat -c %a ${system}`);
        expect(asWritten).toBe("600");
        const shown = await said(`systemctl show ${unitName}; ps axww; jtel-chatctl diff; jtel-chatctl status`);
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

  describe("units of unexpected shape", () => {
    /** The words that systemd would start, of the vendor's unit by itself and with our drop-in. */
    const argv = async (): Promise<string[]> =>
      JSON.parse(
        await said(`busctl --json=short get-property org.freedesktop.systemd1 \
          "$(busctl --json=short call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager LoadUnit s trial.service | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])')" \
          org.freedesktop.systemd1.Service ExecStart`),
      ).data[0][1];

    const given = `[Service]
User=nobody
Environment=V=w
ExecStartPre=/bin/true
ExecStartPre=-/bin/false
ExecStart=/usr/bin/java -Xmx96m \\
  -Dde.jtel.platform.clientmessenger.connection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=<password>&x=%%z \\
  -Dname="a b" 'c  d' \${V} $V "\${V}x" \\
  -cp /x/* Main
`;

    test.each([
      ["as the vendor ships it", (unit: string) => unit],
      ["with CRLF", (unit: string) => unit.replaceAll("\n", "\r\n")],
      ["on one line", (unit: string) => unit.replaceAll(/\\\n\s*/g, "")],
      ["with comments between", (unit: string) => unit.replace("  -cp", "# a\n   ; b \\\n  -cp")],
      ["with a byte order mark", (unit: string) => `\ufeff${unit}`],
      ["with Latin-1 in a comment", (unit: string) => `# \u00e4\n${unit}`],
      ["with prefixes", (unit: string) => unit.replace("ExecStart=/usr/bin/java", "ExecStart=-@/usr/bin/java chat")],
      ["with a colon", (unit: string) => unit.replace("ExecStart=/usr/bin/java", "ExecStart=:/usr/bin/java")],
      ["with a reset", (unit: string) => unit.replace("ExecStart=/", "ExecStart=/bin/true\nExecStart=\nExecStart=/")],
      ["with a quoted argument", (unit: string) => unit.replace(/(-Dde\S+)/, '"$1"')],
    ])("%s: systemd starts the same words but the connection", async (_, change) => {
      const bytes = Buffer.from(change(given), change(given).includes("\u00e4") ? "latin1" : "utf8");
      await run("rm -rf /etc/systemd/system/trial.service* && systemctl daemon-reload");
      await host.exec(
        "base64 -d > /root/trial.service && cp /root/trial.service /etc/systemd/system/ && systemctl daemon-reload",
        {
          input: bytes.toString("base64"),
        },
      );
      const vendors = await argv();
      const fields = {
        ...{ from: "/root/trial.service", offered: "/root/trial.service", data: "/home/jtel/shared/Data/clients/" },
        ...{
          argument: "-Dde.jtel.platform.clientmessenger.connection=",
          "argument-file": "/etc/jtel-chat/clientmessenger.args",
        },
        "drop-in": "[Service]\nEnvironment=DATADIR=/x\n",
      };
      const { exitCode, output } = await apply("trial", document({ kind: "unit", name: "trial.service", fields }));
      expect(exitCode, output).toBe(0);
      expect(await said("cmp /root/trial.service /etc/systemd/system/trial.service && echo same")).toBe("same");
      const ours = await argv();
      expect(ours.map((word) => (/^@.*clientmessenger\.args$/.test(word) ? "connection" : word))).toEqual(
        vendors.map((word) => (word.includes("clientmessenger.connection=") ? "connection" : word)),
      );
      expect(ours).not.toEqual(vendors);
    });
  });

  describe("the share", () => {
    test("that is not mounted, or empty, is named, and nothing is lost", async () => {
      await up();
      const before = await ownedByCustomer();
      await said("umount /home/jtel/shared");
      expect((await problems()).join()).toContain("the share is not mounted at /home/jtel/shared. Mount it");
      expect((await apply("messenger", documents({ release: "follow" }).messenger ?? "")).exitCode).toBe(3);
      await said("mount -t tmpfs none /home/jtel/shared");
      expect((await problems({ release: "follow" })).join()).toContain("holds no release (no folder bin/ with files)");
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
