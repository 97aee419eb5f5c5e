import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { home, unitName } from "../../render/client-messenger/places.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";
import { aloneInTheCluster, chatServerSteps, vendor } from "./chat-server-steps.ts";

const runnable = await bootable("a host of an earlier version");

const server = bench({ name: "upgrade", on: "chatserver1", beside: ["acd-dbm"], java: true });
const { lab, host, install } = server;
const steps = chatServerSteps(server);
const kept = new URL("../upgrade/hosts/2026-11/", import.meta.url);

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

const recorded = { hazelcast: null, messenger: null, "messenger-secret": null, "messenger-running": null };

const drift = async (texts: Record<string, string | null> = recorded) =>
  Object.entries(await steps.look(texts)).flatMap(([step, { drifted, reason, problems }]) =>
    drifted || problems.length ? [`${step}: ${[...(drifted ? [reason] : []), ...problems].join("; ")}`] : [],
  );

const starts = async (): Promise<number> =>
  Number(await steps.said(`journalctl -u ${unitName} | grep -c 'Started '; true`));

/** A chat server that version 2026-11 has configured, over an installation by hand. */
const configuredEarlier = async (): Promise<void> => {
  await install(gunzipSync(await readFile(new URL("jtel-chatctl.gz", kept))));
  const login = (await earlier("messenger-secret")).replace(/\n$/, "");
  const content = /content:\n[\s\S]*/.exec(steps.secret())?.[0];
  await steps.apply("hazelcast", (await earlier("hazelcast")).split("\n# files: /acd-store")[0] as string);
  await steps.apply("messenger-secret", `${login}\n${content}`);
  await steps.apply("messenger", (await earlier("messenger")).replace(/# resources:[\s\S]*?\n\n/, ""));
  await steps.apply("messenger-running", (await earlier("messenger-running")).replace(/\ncluster[\s\S]*/, "\n"));
};

describe.skipIf(!runnable)("a chat server that version 2026-11 has configured", () => {
  beforeAll(async () => {
    await aloneInTheCluster(lab(), host());
    await steps.said(`cp -R ${vendor} ${home} && echo own > ${home}/bin/own.txt && chown -R jtel:jtel ${home}`);
    await configuredEarlier();
    await steps.said(`rm -f ${vendor}/bin/version-*; echo 2 > ${vendor}/bin/version-2.txt; jtel-chatctl update`);
    await install();
  }, 5 * minutes);

  test(
    "is as it was applied, in this version's eyes",
    async () => {
      expect(await drift()).toEqual([]);
      expect(await steps.said("jtel-chatctl check")).toBe("everything is as it was applied");
    },
    minutes,
  );

  test(
    "shows a hand edit as that version did, and no other",
    async () => {
      await steps.said(`chmod 700 /usr/local/bin/updatesc.sh`);
      expect(await drift()).toEqual(["messenger: mode of /usr/local/bin/updatesc.sh: 0700"]);
      await steps.said(`chmod 755 /usr/local/bin/updatesc.sh`);
    },
    minutes,
  );

  test(
    "raises no question with this version's documents",
    async () => {
      expect(await drift({ ...steps.documents(), "messenger-secret": null })).toEqual([]);
    },
    minutes,
  );

  test(
    "is taken on: restarted once, on the unit of this version",
    async () => {
      const before = await starts();
      for (const [step, text] of Object.entries(steps.documents())) await steps.apply(step, text);
      expect(await starts()).toBe(before + 1);
      expect(await drift({ ...steps.documents(), "messenger-secret": null })).toEqual([]);
      for (const [step, text] of Object.entries(steps.documents()))
        expect(await steps.apply(step, text), step).toMatch(/^nothing to change|healthy|[0-9a-f]{16}$/m);
      expect(await starts()).toBe(before + 1);
      expect(await steps.said(`ls -A ${home}`)).not.toContain(".release");
    },
    5 * minutes,
  );

  test(
    "gets back what stood there before that version",
    async () => {
      await steps.undo();
      expect(await steps.said(`cat ${home}/bin/own.txt; ls ${home}/bin | grep -c version- || true`)).toBe("own\n0");
      expect(await steps.said(`find ${home} ! -user jtel`)).toBe("");
      expect(
        await steps.said("ls -d /etc/systemd/system/jtel-clientmessenger* /var/lib/jtel-chat 2>/dev/null; true"),
      ).toBe("");
    },
    5 * minutes,
  );
});
