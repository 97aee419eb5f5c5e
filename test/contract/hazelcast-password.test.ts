import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { seconds } from "../../lab/deadline.ts";
import { type ThrowAwayStack, throwAwayStack } from "./throw-away-stack.ts";

let directory: string;
let stack: ThrowAwayStack;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hazelcast-password-"));
  stack = await throwAwayStack(directory);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** A cluster of one host, which has these problems when it is looked at. */
const program = (problems: string[]) => async () => {
  vi.resetModules(); // a program is a process of its own
  const { HazelcastConfig } = await import("../../components/hazelcast-config.ts");
  const { Rollout } = await import("../../components/rollout.ts");
  const { Host } = await import("../../hosts/host.ts");
  const { Look } = await import("../../hosts/look/look.ts");
  const look = new Look(async ({ name }) => ({ name, answers: {}, problems }));
  const reached = { address: "192.0.2.21", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" };
  const rollout = new Rollout([]);
  new HazelcastConfig("hazelcast", {
    ...{ source: "render", clusterName: "acme", members: [], release: "hold", rollout },
    chatServers: [new Host({ name: "chatserver1", ...reached, look })],
    share: { path: "/home/jtel/shared", hosted: false },
  });
  rollout.register([], []);
  await look.close();
};

test(
  "a cluster's random password is made once all hosts were seen: an up that is refused leaves none in the state",
  async () => {
    const refused = await stack.up(program(["chatserver1: the disk is full"]));
    expect(refused.text).toContain("nothing was changed:\nchatserver1: the disk is full");
    expect(refused.failed).toBe(true);
    expect(await stack.resource("hazelcast-password")).toBeUndefined();
    expect(await stack.preview(program([]))).toMatchObject({ failed: false, steps: ["create", "create", "create"] });
  },
  60 * seconds,
);
