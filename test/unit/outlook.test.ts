import { expect, test, vi } from "vitest";
import type { StepQuestion } from "../../hosts/look/question.ts";
import { outlookOf, type Rehearsal } from "../../survey/outlook.ts";
import type { Surveyed } from "../../survey/survey-host.ts";
import { documentsOf } from "../../topologies/documents.ts";
import { selfSigned, surveyed } from "./surveyed.ts";

const byHand = { installed: true, unit: "by hand", active: true, database: null, data: "" };

/** A load balancer with a certificate for chat.acme.example. */
const balancer = async (change: object = {}): Promise<Surveyed> => {
  const certificates = [{ path: "/etc/haproxy/haproxy.pem", pem: await selfSigned("chat.acme.example") }];
  return surveyed("lb1", { haproxy: { frontends: [{ name: "acdportal_https" }], certificates }, ...change });
};
const chat = (change: object = {}): Surveyed => {
  const host = surveyed("chatserver1", { chat: byHand, ...change });
  return { ...host, entry: { ...host.entry, address: "10.1.0.21" } };
};

const answer = (facts: Record<string, string>, problems: string[] = []) => ({
  ...{ generation: 1, reason: "not on the host", drifted: false, diff: "", problems, warnings: [] },
  ...{ facts, alike: {}, active: false },
});

const heard: Record<string, Record<string, ReturnType<typeof answer>>> = {
  lb1: {
    tool: answer({}),
    haproxy: answer({ "due:/etc/haproxy/haproxy.cfg": "our blocks written" }, ["no\u001b port"]),
  },
  chatserver1: {
    ...{ tool: answer({}), "messenger-secret": answer({}), java: answer({ "due:openjdk-17-jdk": "installed" }) },
    "messenger-running": answer({ "restarts:jtel-clientmessenger.service": "it was started before it was managed" }),
  },
};

const rehearsal = () => ({
  documentsOf,
  asked: vi.fn<Rehearsal["asked"]>(async ({ name }) => ({ answer: { steps: heard[name] ?? {} }, problem: "" })),
});

test("the proposed stack's documents are judged by the hosts, and nothing is left there", async () => {
  const given = rehearsal();
  const outlooks = await outlookOf([await balancer(), chat()], given);
  expect(outlooks.get("lb1")).toEqual({
    changes: { "jtel-chatctl": "installed", "/etc/haproxy/haproxy.cfg": "our blocks written" },
    ...{ owed: {}, problems: ["no? port"] },
  });
  expect(outlooks.get("chatserver1")).toEqual({
    changes: {
      ...{ "jtel-chatctl": "installed", "openjdk-17-jdk": "installed" },
      "connection to the database": "written",
    },
    owed: { "jtel-clientmessenger.service": "it was started before it was managed" },
    problems: [],
  });
  const asked = await Promise.all(
    given.asked.mock.calls.map(async ([host, questions, options]) => {
      const steps = ((await questions) as StepQuestion[]).map(({ step }) => step);
      return [host.name, steps, options];
    }),
  );
  expect(asked).toEqual([
    ["lb1", ["firewall", "haproxy"], { writes: false }],
    ["chatserver1", expect.arrayContaining(["java", "hazelcast", "messenger-running"]), { writes: false }],
  ]);
});

test("several customers are rehearsed at once, each with his own hosts", async () => {
  const given = { ...rehearsal(), asked: vi.fn<Rehearsal["asked"]>(async () => ({ problem: "" })) };
  const lb1 = await balancer();
  const [one, other] = ["10.2.0.11", "10.3.0.11"].map((address) => ({ ...lb1, entry: { ...lb1.entry, address } }));
  if (!one || !other) throw new Error("there are two");
  await Promise.all([outlookOf([one, chat()], given), outlookOf([other, chat()], given)]);
  const documents = await Promise.all(
    given.asked.mock.calls.map(async ([host, questions]) => {
      const rules = (await questions).find(({ step }) => step === "firewall")?.document;
      return [host.address, /3000\/tcp from (\S+)/.exec(String(rules))?.[1]];
    }),
  );
  expect(documents.toSorted()).toEqual([
    ["10.1.0.21", "10.2.0.11"],
    ["10.1.0.21", "10.3.0.11"],
    ["10.2.0.11", undefined],
    ["10.3.0.11", undefined],
  ]);
});

test("chat that does not run yet would be started", async () => {
  const outlooks = await outlookOf([await balancer(), chat({ chat: { ...byHand, active: false } })], rehearsal());
  expect(outlooks.get("chatserver1")).toMatchObject({ changes: { "jtel-clientmessenger.service": "started" } });
});

test.each<[string, () => Promise<Surveyed[]>, RegExp]>([
  ["a host was not seen", async () => [await balancer(), chat(), { entry: chat().entry }], /not every host was seen/],
  ["a host is managed", async () => [await balancer({ owner: "jtel-chat/acme" }), chat()], /jtel-chat\/acme has lb1/],
  ["sudo is refused", async () => [await balancer(), chat({ root: false })], /deploy needs sudo without a password/],
  [
    "no name is known",
    async () => [surveyed("lb1", { haproxy: { frontends: [{ name: "acdportal_https" }] } }), chat()],
    /no certificate says which name/,
  ],
])("where %s, no host is asked, and it is said why", async (_, hosts, why) => {
  const given = rehearsal();
  expect((await outlookOf(await hosts(), given)).get("chatserver1")).toEqual({ unknown: expect.stringMatching(why) });
  expect(given.asked).not.toHaveBeenCalled();
});

test("a host that gives no answer says why", async () => {
  const given = { ...rehearsal(), asked: vi.fn(async () => ({ problem: "it went away" })) };
  expect((await outlookOf([await balancer(), chat()], given)).get("lb1")).toEqual({ unknown: "it went away" });
});

test("without a load balancer nothing is proposed", async () => {
  expect(await outlookOf([chat()], rehearsal())).toEqual(new Map());
});
