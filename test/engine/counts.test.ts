import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { labStack } from "../../lab/stack.ts";
import { bootable } from "../bootable.ts";
import { type Counts, counted } from "./counters.ts";

const runnable = await bootable("counts on booted hosts");

const name = `counts-${process.pid}`;
const hostNames = ["lb1", "chatserver1", "chatserver2"];
let lab: Lab;

type Config = Record<string, unknown>;

/** What one `pulumi up` costs every host. */
const costOfUp = async (argv: string[] = [], change: (config: Config) => void = () => {}) => {
  let output = "";
  const stack = await labStack(lab, change);
  const hosts = hostNames.map((each) => lab.hosts[each] as LabHost);
  const counts = await counted(hosts, async () => {
    const result = await stack.pulumi(["up", "--yes", "--suppress-outputs", ...argv]);
    ({ output } = result);
    expect(result.exitCode, output).toBe(0);
  });
  return { output, counts };
};

const connections = (counts: Record<string, Counts>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).map(([host, each]) => [host, each.connections]));

/** A connection for each look, and one for each step that pulumi says it has run there. */
const expected = (looks: number, output: string): Record<string, number> =>
  Object.fromEntries(hostNames.map((host) => [host, looks + stepsRun(output, host)]));

const stepsRun = (output: string, host: string): number =>
  new Set(output.match(new RegExp(`${host}-\\S+ (?:created|updated|deleted) `, "g"))).size;

/**
 * Bounds for one look at one host whose tool is in place: a third more processes than a chat server takes, and the bytes that
 * are sent there, with those of the ssh connection.
 */
const bound = { processes: 30, bytes: 10 * 1024 };

describe.skipIf(!runnable)("what a run costs a host, counted", () => {
  beforeAll(async () => {
    lab = await upLab(name, { temporary: true, java: true });
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  test(
    "the first up: one connection to look, and one for each step",
    async () => {
      const { output, counts } = await costOfUp(["--skip-preview"]);
      expect(stepsRun(output, "chatserver1")).toBeGreaterThan(4);
      expect(connections(counts), output).toEqual(expected(1, output));
    },
    10 * minutes,
  );

  test("an up without changes looks once over one connection, and runs nothing else", async () => {
    const { length: asked } = await lab.tyntec.requests();
    const { counts } = await costOfUp(["--skip-preview", "--expect-no-changes"]);
    for (const [host, { commands, processes, bytes }] of Object.entries(counts)) {
      expect.soft(commands, host).toEqual([expect.stringMatching(/ look$/)]);
      expect.soft(processes.length, `${host}: ${processes.join(" ")}`).toBeLessThanOrEqual(bound.processes);
      expect.soft(bytes, `${host}: bytes`).toBeLessThanOrEqual(bound.bytes);
    }
    expect.soft(connections(counts)).toEqual({ lb1: 1, chatserver1: 1, chatserver2: 1 });
    const requests = (await lab.tyntec.requests()).slice(asked);
    expect(requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("the state holds at most 10 KB of a step: no program, which every run would write and load", async () => {
    const file = join(lab.directory, "counted.json");
    const { exitCode, output } = await (await labStack(lab)).pulumi(["stack", "export", "--file", file]);
    expect(exitCode, output).toBe(0);
    const { deployment } = JSON.parse(await readFile(file, "utf8"));
    const sizes = deployment.resources.map((resource: { urn: string }) => [
      resource.urn,
      JSON.stringify(resource).length,
    ]);
    expect(sizes.length).toBeGreaterThan(15);
    expect(sizes.filter(([, size]: [string, number]) => size > 10 * 1024)).toEqual([]);
  });

  test("an up with its preview and without changes looks twice", async () => {
    const { counts } = await costOfUp(["--expect-no-changes"]);
    expect(connections(counts)).toEqual({ lb1: 2, chatserver1: 2, chatserver2: 2 });
  });

  test("a file edited by hand costs its host one connection for each step that heals it, and the others nothing", async () => {
    await lab.hosts.chatserver1?.exec("echo '# edited' >>/usr/local/bin/updatesc.sh");
    const { output, counts } = await costOfUp();
    expect(output).toContain("chatserver1-messenger updated");
    expect(connections(counts), output).toEqual({ ...expected(2, output), lb1: 2, chatserver2: 2 });
  });

  test("a changed value costs one connection for each step that it changes", async () => {
    const { output, counts } = await costOfUp([], (config) => {
      config.firewall = { sources: [lab.subnet] };
    });
    expect(output).toContain("chatserver2-firewall updated");
    expect(connections(counts), output).toEqual({ lb1: 2, chatserver1: 3, chatserver2: 3 });
  });
});
