import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Approvable, approvable, type Surroundings } from "../../approval/approval.ts";
import { programLines, sha256 } from "../../approval/program-files.ts";
import { stateLines } from "../../approval/state-lines.ts";
import type { Sight } from "../../hosts/look/look.ts";
import type { SeenHost } from "../../hosts/look/look-at-host.ts";

const host = { name: "lb1", address: "192.0.2.11", port: 22, user: "deploy", hostKey: "ssh-ed25519 AAAA" };

const answer = {
  ...{ generation: 1, reason: "not on the host", drifted: false, diff: "", active: false },
  ...{ problems: [], warnings: [], facts: {}, alike: {} },
};

const seenHost: SeenHost = { name: "lb1", boot: "1a2b3c4d", tool: "ab", problems: [], answers: { haproxy: answer } };

const sight: Sight = {
  questions: [
    { host, step: "haproxy", document: "# haproxy: x\n" },
    { host, step: "messenger-running", document: undefined, madeFrom: "lb1-messenger-secret" },
  ],
  hosts: [seenHost],
  prerequisites: [{ name: "tyntec-webhooks", found: { astray: [] }, problems: [] }],
  problems: [],
};

const around: Surroundings = {
  ...{
    project: "jtel-chat",
    stack: "acme",
    stackFile: "config: {}\n",
    key: "ab",
    observer: undefined,
    newOwner: false,
  },
  state: JSON.stringify({ deployment: { resources: [{ urn: "urn::lb1-haproxy", type: "command:remote:Command" }] } }),
  secrets: { "database.password": "geheim" },
};

const linesOf = async (seen: Sight, surroundings: Surroundings): Promise<string[]> => {
  const found = await approvable(seen, surroundings);
  return "lines" in found ? found.lines : [];
};
const digestOf = async (seen: Sight, surroundings: Surroundings): Promise<string> => {
  const found: Approvable = await approvable(seen, surroundings);
  return "digest" in found ? found.digest : found.refused;
};

test("an approval names documents, states and answers, secrets only as fingerprints", async () => {
  const lines = await linesOf(sight, around);
  expect(lines).toContain(`lb1-haproxy document ${sha256("# haproxy: x\n")}`);
  expect(lines).toContain("lb1-messenger-running document unknown, made from lb1-messenger-secret");
  expect(lines).toContain("lb1-haproxy generation 1, as applied: not on the host");
  expect(lines).toContain("lb1 boot 1a2b3c4d");
  expect(lines.find((line) => line.startsWith("secret "))).toMatch(/^secret database\.password [0-9a-f]{64}$/);
  expect(lines.join("\n")).not.toContain("geheim");
});

const withAnswer = (change: object): Sight => ({
  ...sight,
  hosts: [{ ...seenHost, answers: { haproxy: { ...answer, ...change } } }],
});

test.each<[string, Sight, Partial<Surroundings>]>([
  ["a document", { ...sight, questions: [{ host, step: "haproxy", document: "# haproxy: y\n" }] }, {}],
  ["a generation", withAnswer({ generation: 2 }), {}],
  ["a reason", withAnswer({ reason: "mode of /etc/x: 0600" }), {}],
  ["drift", withAnswer({ drifted: true }), {}],
  ["the lines of a drift", withAnswer({ diff: "+x" }), {}],
  ["which load balancer carries the traffic", withAnswer({ active: true }), {}],
  ["the release of one host", withAnswer({ alike: { "release in x": "ab" } }), {}],
  ["a reboot", { ...sight, hosts: [{ ...seenHost, boot: "5e6f7a8b" }] }, {}],
  ["the tool that answered", { ...sight, hosts: [{ ...seenHost, tool: "cd" }] }, {}],
  [
    "what is set at TynTec",
    { ...sight, prerequisites: [{ name: "tyntec-webhooks", found: { astray: ["x"] }, problems: [] }] },
    {},
  ],
  ["the stack file", sight, { stackFile: "config: { a: 1 }\n" }],
  ["a secret", sight, { secrets: { "database.password": "anders" } }],
  ["the state", sight, { state: "{}" }],
  ["the stack", sight, { stack: "other" }],
])("another approval: %s", async (_, seen, surroundings) => {
  expect(await digestOf(seen, { ...around, ...surroundings })).not.toBe(await digestOf(sight, around));
});

test.each<[string, Sight]>([
  [
    "warnings and facts, e.g. load and days of a certificate",
    withAnswer({ warnings: ["w"], facts: { "days:x": "3" } }),
  ],
  ["the order of arrival", { ...sight, questions: sight.questions.toReversed() }],
])("the same approval: %s", async (_, seen) => {
  expect(await digestOf(seen, around)).toBe(await digestOf(sight, around));
});

test.each<[string, Sight, Partial<Surroundings>, RegExp]>([
  ["a host that was not seen", { ...sight, hosts: [{ ...seenHost, unseen: "no route" }] }, {}, /^not seen: lb1$/],
  [
    "what a preview may not ask",
    {
      ...sight,
      prerequisites: [{ name: "tyntec-webhooks", found: undefined, problems: [], unseen: "the address changed" }],
    },
    {},
    /^not seen: tyntec-webhooks$/,
  ],
  ["problems", { ...sight, problems: ["lb1: full"] }, {}, /^there are problems/],
  ["an observer", sight, { observer: "look" }, /^look has looked, who may not check/],
  [
    "no key",
    sight,
    { key: undefined },
    /openssl rand -hex 32 \| pulumi config set --secret --path jtel-chat:approval\.key/,
  ],
])("no approval: %s", async (_, seen, surroundings, why) => {
  expect(await digestOf(seen, { ...around, ...surroundings })).toMatch(why);
});

test("the owner's id, which the first up makes, is unknown to the preview, and does not count in that up", async () => {
  const withTool = (id: string): Sight => ({
    ...sight,
    questions: [{ host, step: "tool", document: Promise.resolve(id) }],
  });
  const owner = { urn: "urn::owner", type: "pulumi:index:Stash", outputs: { output: "3f1c" } };
  const [before, after] = [[], [owner]].map((resources) => JSON.stringify({ deployment: { resources } }));
  const first = { ...around, newOwner: true, state: before ?? "" };
  expect(await linesOf(withTool("(made by the first up)"), first)).toContain(
    "lb1-tool document unknown, made from the state's owner",
  );
  const inUp = { ...first, state: after ?? "" };
  expect(await digestOf(withTool("3f1c"), inUp)).toBe(await digestOf(withTool("(made by the first up)"), first));
  const later = { ...inUp, newOwner: false };
  expect(await digestOf(withTool("3f1c"), later)).not.toBe(await digestOf(withTool("4a2d"), later));
});

test("the state counts by content: order, ciphertexts, times, providers and components do not", () => {
  const secret = (ciphertext: string) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext,
  });
  const state = (resources: object[]) => stateLines(JSON.stringify({ deployment: { resources } }));
  const one = { urn: "urn::a", type: "command:remote:Command", inputs: { stdin: "x", connection: secret("v1:1") } };
  const same = { modified: "now", inputs: { connection: secret("v1:2"), stdin: "x" }, type: one.type, urn: one.urn };
  const other = { urn: "urn::b", type: "random:index:RandomId" };
  const provider = { urn: "urn::p", type: "pulumi:providers:command" };
  const component = { urn: "urn::java", type: "jtel:chat:JavaInstall", custom: false };
  expect(state([one, other])).toEqual(state([other, provider, component, same]));
  expect(state([one])).not.toEqual(state([{ ...one, inputs: { ...one.inputs, stdin: "y" } }]));
  expect(stateLines("{}")).toEqual([]);
});

test("every module that the program loads is part of an approval", () => {
  const named = new Set(programLines().map((line) => line.split(" ")[1]));
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g))
      visit(new URL(path, `file:///${file}`).pathname.slice(1));
  };
  visit("index.ts");
  expect(loaded.size).toBeGreaterThan(50);
  expect([...loaded].filter((file) => !named.has(file))).toEqual([]);
  expect(named).toContain("host-tool/jtel_chat/engine/steps.py");
  expect(named).toContain("templates/usr/local/sbin/jtel-chatctl");
});
