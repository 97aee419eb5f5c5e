import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { type HazelcastCluster, hazelcastXml, passwordProperty } from "../../render/hazelcast.ts";

const checker = new URL("../../templates/usr/local/lib/jtel-chat/HazelcastCheck.java", import.meta.url).pathname;
const cluster: HazelcastCluster = { clusterName: "jtel-cluster-ACME", members: ["10.1.0.21", "10.1.0.31:5702"] };

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "hazelcast-check-"));
});

afterAll(() => rm(scratch, { recursive: true }));

/** What the real library of that major version makes of a file. */
const ask = async (major: 3 | 5, xml: string) => {
  const folder = await buildClientMessenger({ hazelcast: `${major}`, progress: console.log });
  const file = join(scratch, "hazelcast.xml");
  await writeFile(file, xml);
  const property = `-D${passwordProperty}=secret`;
  const argv = ["-XX:TieredStopAtLevel=1", property, "-cp", `${folder}/bin/*`, checker, file];
  return execa("java", argv, { reject: false });
};

describe.each([3, 5] as const)("Hazelcast %d", (major) => {
  const other = major === 3 ? 5 : 3;

  test(
    "reads everything that chat needs in the file that is rendered for it, without a warning",
    async () => {
      const { stdout, stderr, exitCode } = await ask(major, hazelcastXml(major, cluster));
      expect(stdout.split("\n")).toEqual([
        "cluster: jtel-cluster-ACME",
        "port: 5701",
        "members: 10.1.0.21 10.1.0.31:5702",
        "ringbuffer CHAT: true",
        "map CHATCOUNTERS: true",
      ]);
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
    },
    5 * minutes,
  );

  test("refuses the file of the other, in its own words", async () => {
    const { stdout, exitCode } = await ask(major, hazelcastXml(other, cluster));
    expect(stdout).toMatch(
      major === 3 ? /found starting with element .*cluster-name/ : /found starting with element .*group/,
    );
    expect(exitCode).toBe(3);
  });

  test("tells what is missing, and that patterns serve", async () => {
    const xml = hazelcastXml(major, cluster).replace('"CHAT"', '"OTHER"').replace('"CHATCOUNTERS"', '"CHATC*"');
    const { stdout } = await ask(major, xml);
    expect(stdout).toContain("ringbuffer CHAT: false\nmap CHATCOUNTERS: true");
  });
});
