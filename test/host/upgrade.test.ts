import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyCommand, undoCommand } from "../../hosts/launcher.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { labObstacle } from "../../lab/requirements.ts";
import {
  connectionSection,
  hazelcastFile,
  home,
  installationSections,
  releaseFolder,
  runningSection,
  unitName,
} from "../../render/client-messenger.ts";
import { document, documentDigest } from "../../render/document.ts";
import { hostTool } from "../../render/host-tool.ts";

const obstacle = await labObstacle();
const runnable = !obstacle || process.env.CI === "true";
if (!runnable) console.warn(`SKIPPED: a host of an earlier version – ${obstacle}`);

const name = `upgrade-${process.pid}`;
const kept = new URL("../upgrade/hosts/2026-11/", import.meta.url);
const vendor = `/home/jtel/shared/${releaseFolder}`;
const tool = "/usr/local/sbin/jtel-chatctl";
let lab: Lab;
let host: LabHost;

const said = async (script: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await host.exec(script);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};

const install = (text: string | Uint8Array) =>
  host.exec(`cat > ${tool}; chmod 755 ${tool}`, { input: Buffer.from(text).toString() });

interface Section {
  kind: string;
  name: string;
  fields: Record<string, string>;
}

/** A document as version 2026-11 sent it: from the record that it left, with this lab's addresses. */
const earlier = async (step: string): Promise<string> => {
  const record = await readFile(new URL(`chatserver/var/lib/jtel-chat/steps/${step}.json`, kept), "utf8");
  const sections: Section[] = JSON.parse(record).sections;
  const line = ([key, value]: [string, string]) =>
    value.includes("\n")
      ? [
          `${key}:`,
          ...value
            .trimEnd()
            .split("\n")
            .map((each) => (each ? `\t${each}` : "")),
        ]
      : [`${key}: ${value}`];
  return sections
    .map(({ kind, name: owned, fields }) =>
      [`# ${kind}: ${owned}`, ...Object.entries(fields).flatMap(line), ""].join("\n"),
    )
    .join("\n");
};

const secret = (): string =>
  document(
    connectionSection(
      {
        ...{ host: "acd-dbm", port: 3306, name: "JTELWeb", user: "root", password: lab.database.password },
        ...{ characterEncoding: "utf8", serverTimezone: "Europe/Berlin", parameters: {} },
      },
      { share: { path: "/home/jtel/shared", hosted: false }, javaVersion: 17 },
    ),
  );

/** The documents that this version sends for the same stack. */
const documents = (): Record<string, string> => {
  const share = { path: "/home/jtel/shared", hosted: false };
  const database = { host: "acd-dbm", port: 3306 };
  const hazelcast = document({
    kind: "files",
    name: hazelcastFile,
    fields: {
      from: "/home/jtel/shared/hazelcast.xml",
      mount: share.path,
      check: "hazelcast",
      jars: [`${home}/bin`],
      "loaded-by": unitName,
    },
  });
  const unit = { accept: [], limits: [] };
  const messenger = document(...installationSections({ share, release: "hold", javaVersion: 17, database, unit }));
  const loads = [
    `hazelcast ${documentDigest(hazelcast)}`,
    `messenger ${documentDigest(messenger)}`,
    `messenger-secret ${documentDigest(secret())}`,
  ];
  return {
    hazelcast,
    messenger,
    "messenger-secret": secret(),
    "messenger-running": document(runningSection(loads, [], "roll")),
  };
};

const apply = async (step: string, text: string): Promise<string> => {
  const launch = applyCommand(step, { generation: 1, reason: "test" });
  const { exitCode, stdout, stderr } = await host.exec(launch, { input: text });
  expect(exitCode, stdout + stderr).toBe(0);
  return stdout;
};

interface Answer {
  generation: number;
  drifted: boolean;
  reason: string;
  problems: string[];
}

/** What this version sees, with or without its own documents. */
const look = async (texts: Record<string, string | null>): Promise<Record<string, Answer>> => {
  const { stdout, stderr } = await host.exec("jtel-chatctl look", { input: `${JSON.stringify({ steps: texts })}\n` });
  const line = stdout.split("\n").find((each) => each.startsWith("\u001ejtel-chatctl "));
  if (!line) throw new Error(stderr);
  return JSON.parse(line.slice("\u001ejtel-chatctl ".length)).steps;
};

const recorded = { hazelcast: null, messenger: null, "messenger-secret": null, "messenger-running": null };

const drift = async (texts: Record<string, string | null> = recorded) =>
  Object.entries(await look(texts)).flatMap(([step, { drifted, reason, problems }]) =>
    drifted || problems.length ? [`${step}: ${[...(drifted ? [reason] : []), ...problems].join("; ")}`] : [],
  );

const starts = async (): Promise<number> => Number(await said(`journalctl -u ${unitName} | grep -c 'Started '; true`));

/** A chat server that version 2026-11 has configured, over an installation by hand. */
const configuredEarlier = async (): Promise<void> => {
  await install(gunzipSync(await readFile(new URL("jtel-chatctl.gz", kept))));
  const login = (await earlier("messenger-secret")).replace(/\n$/, "");
  const content = /content:\n[\s\S]*/.exec(secret())?.[0];
  await apply("hazelcast", (await earlier("hazelcast")).split("\n# files: /acd-store")[0] as string);
  await apply("messenger-secret", `${login}\n${content}`);
  await apply("messenger", (await earlier("messenger")).replace(/# resources:[\s\S]*?\n\n/, ""));
  await apply("messenger-running", (await earlier("messenger-running")).replace(/\ncluster[\s\S]*/, "\n"));
};

describe.skipIf(!runnable)("a chat server that version 2026-11 has configured", () => {
  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["acd-dbm", "chatserver1"], java: true, temporary: true });
    host = lab.hosts.chatserver1 as LabHost;
    await host.exec(`sed -i '/${lab.hosts.chatserver2?.address}</d' /home/jtel/shared/hazelcast.xml`);
    await said(`cp -R ${vendor} ${home} && echo own > ${home}/bin/own.txt && chown -R jtel:jtel ${home}`);
    await configuredEarlier();
    await said(`rm -f ${vendor}/bin/version-*; echo 2 > ${vendor}/bin/version-2.txt; jtel-chatctl update`);
    await install(hostTool());
  }, 900_000);

  afterAll(async () => {
    await downLab(name);
  });

  test("is as it was applied, in this version's eyes", async () => {
    expect(await drift()).toEqual([]);
    expect(await said("jtel-chatctl check")).toBe("everything is as it was applied");
  }, 60_000);

  test("shows a hand edit as that version did, and no other", async () => {
    await said(`chmod 700 /usr/local/bin/updatesc.sh`);
    expect(await drift()).toEqual([
      "messenger: mode of /usr/local/bin/updatesc.sh: 0700",
      "messenger-running: messenger is about to change",
    ]);
    await said(`chmod 755 /usr/local/bin/updatesc.sh`);
  }, 60_000);

  test("raises no question with this version's documents", async () => {
    expect(await drift({ ...documents(), "messenger-secret": null })).toEqual([]);
  }, 60_000);

  test("is taken on: restarted once, on the unit of this version", async () => {
    const before = await starts();
    for (const [step, text] of Object.entries(documents())) await apply(step, text);
    expect(await starts()).toBe(before + 1);
    expect(await drift({ ...documents(), "messenger-secret": null })).toEqual([]);
    for (const [step, text] of Object.entries(documents()))
      expect(await apply(step, text), step).toMatch(/^nothing to change|healthy|[0-9a-f]{16}$/m);
    expect(await starts()).toBe(before + 1);
    expect(await said(`ls -A ${home}`)).not.toContain(".release");
  }, 300_000);

  test("gets back what stood there before that version", async () => {
    for (const step of ["messenger-running", "messenger", "messenger-secret", "hazelcast"])
      expect((await host.exec(undoCommand(step))).exitCode).toBe(0);
    expect(await said(`cat ${home}/bin/own.txt; ls ${home}/bin | grep -c version- || true`)).toBe("own\n0");
    expect(await said(`find ${home} ! -user jtel`)).toBe("");
    expect(await said("ls -d /etc/systemd/system/jtel-clientmessenger* /var/lib/jtel-chat 2>/dev/null; true")).toBe("");
  }, 300_000);
});
