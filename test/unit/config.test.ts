import { readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { expect, test } from "vitest";
import { check } from "../../config/check.ts";
import { problemText } from "../../config/problems.ts";

const stackFile = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/** The values of a committed stack file, with the secrets that it must not hold. */
const values = (name = "Pulumi.prod.yaml"): Record<string, Record<string, unknown>> => {
  const { config } = parseYaml(stackFile(name)) as { config: Record<string, Record<string, unknown>> };
  const entries = Object.entries(config).map(([key, value]) => [key.replace("jtel-chat:", ""), value]);
  const all = Object.fromEntries(entries);
  return { ...all, database: { ...all.database, password: "p" }, tyntec: { ...all.tyntec, apiKey: "k" } };
};

const problems = (changes: Record<string, unknown>): string[] => {
  const checked = check({ ...values(), ...changes });
  return "problems" in checked ? checked.problems.map(({ key, text }) => `${key}: ${text}`) : [];
};

test("Pulumi.prod.yaml is valid once its secrets are set", () => {
  expect(check(values())).toHaveProperty("deployment");
});

test("a missing secret names the command that sets it", () => {
  expect(problems({ database: {} })).toEqual([
    "database.password: is missing. Set it: pulumi config set --secret --path 'jtel-chat:database.password'",
  ]);
});

test("a missing host key says why it is needed and where it is read", () => {
  expect(problems({ loadBalancers: [{ name: "lb1", address: "192.0.2.11" }] })).toEqual([
    "loadBalancers[0].hostKey: is missing: without it any host would be trusted. Read it on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  ]);
});

test("an unknown key is named with its path, and not silently ignored", () => {
  expect(problems({ share: { path: "/home/jtel/shared", hostd: true }, topolgy: "x" })).toEqual([
    "share.hostd: is unknown. Check the spelling, or remove it",
    "topolgy: is unknown. Check the spelling, or remove it",
  ]);
});

test("a wrong value is shown with what is expected", () => {
  expect(problems({ topology: "cloud" })).toEqual(['topology: "cloud" is not a topology. Known: separate-server']);
});

test("a secret's wrong value is not shown", () => {
  expect(problems({ database: { password: 12345 } }).join()).not.toContain("12345");
});

test("a host that is listed twice is refused, naming the other place", () => {
  const [server] = values().chatServers as unknown as object[];
  expect(problems({ chatServers: [server, server] })).toEqual([
    'chatServers[1].name: "chatserver1" stands in chatServers[0].name already. Every host is listed once, with its own name',
    'chatServers[1].address: "192.0.2.21" stands in chatServers[0].address already. Every host is listed once, with its own address',
  ]);
});

test("WhatsApp over http is refused with the way on", () => {
  expect(problems({ public: { scheme: "http", host: "chat.acme.example" } })).toEqual([
    'public.scheme: "http" cannot carry WhatsApp: TynTec calls https only. Use https, or remove whatsapp',
  ]);
});

test("the firewall's default needs addresses, not names", () => {
  const { firewall: _, ...rest } = values();
  const [server] = rest.chatServers as unknown as object[];
  const checked = check({ ...rest, chatServers: [{ ...server, interface: undefined, address: "chat1.acme.example" }] });
  expect(checked).toHaveProperty("problems");
});

test("problems come in the order of the file, each with the file's name", () => {
  const text = "config:\n  jtel-chat:share: {}\n  jtel-chat:database: {}\n";
  const sorted = problemText(
    [
      { key: "database.password", text: "is missing" },
      { key: "share.path", text: "is wrong" },
    ],
    "Pulumi.acme.yaml",
    text,
  );
  expect(sorted).toBe(
    "Pulumi.acme.yaml: jtel-chat:share.path: is wrong\nPulumi.acme.yaml: jtel-chat:database.password: is missing",
  );
});

test("Hazelcast's file is copied from the share unless the stack wants it rendered", () => {
  const hazelcast = (value: unknown) => check({ ...values(), hazelcast: value });
  expect(hazelcast({})).toMatchObject({ deployment: { hazelcast: { source: "share" } } });
  expect(hazelcast({ source: "render", clusterName: "acme" })).toMatchObject({
    deployment: { hazelcast: { clusterName: "acme", members: [] } },
  });
});

test("a cluster that is to be rendered needs a name and readable members; one that is copied takes none", () => {
  expect(problems({ hazelcast: { source: "render", members: ["10.1.0.31-35", "10.1.0.1, 10.1.0.2"] } })).toEqual([
    "hazelcast.clusterName: is missing. Set it: pulumi config set --path 'jtel-chat:hazelcast.clusterName' VALUE",
    'hazelcast.members[1]: "10.1.0.1, 10.1.0.2" is no member. Examples: 10.1.0.31, 10.1.0.31:5702, 10.1.0.31-35',
  ]);
  expect(problems({ hazelcast: { source: "share", password: "p" } })).toEqual([
    "hazelcast.password: is unknown. Check the spelling, or remove it",
  ]);
  expect(problems({ hazelcast: { source: "vendor" } })).toEqual([
    'hazelcast.source: {"source":"vendor"} is unknown. Known: share, render',
  ]);
});
