import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { check } from "../../config/check.ts";
import { stackFileValues } from "../../config/offline.ts";
import { keyFingerprint } from "../../hosts/ssh/host-keys.ts";
import { newCustomer } from "../../survey/new-customer.ts";
import { nobody, person, type Questions } from "../../survey/questions.ts";
import { proposedValues, stackFileText } from "../../survey/stack-file.ts";
import type { Surveyed } from "../../survey/survey-host.ts";
import { proposed } from "../../survey/topology.ts";
import { entry, hostKey, selfSigned, surveyed } from "./surveyed.ts";

const database = {
  host: "db.acme",
  port: "3306",
  name: "JTELWeb",
  user: "chat",
  serverTimezone: "",
  characterEncoding: "",
};
const byHand = { installed: true, unit: "by hand", active: true, database, data: "/srv/jtel/shared/Data/Clients/" };

const at = (host: Surveyed, address: string): Surveyed => ({ ...host, entry: { ...host.entry, address } });
const balancer = at(surveyed("lb1", { haproxy: { frontends: [{ name: "acdportal_https" }] } }), "10.1.0.11");
const chat = at(surveyed("chatserver1", { chat: byHand, system: "debian 13" }), "10.1.0.21");

const values = (text: string) => {
  const given = stackFileValues(text);
  const tyntec = given.tyntec && { tyntec: { ...(given.tyntec as object), apiKey: "k" } };
  return check({ ...given, database: { ...(given.database as object), password: "p" }, ...(tyntec as object) });
};

const made = (hosts: Surveyed[], change: object = {}) =>
  newCustomer({
    ...{ customer: "acme", entries: hosts.map((each) => each.entry), given: { publicHost: "chat.acme.example" } },
    ...{
      questions: nobody,
      say: () => {},
      survey: async (asked) => hosts.find((each) => each.entry.name === asked.name) ?? { entry: asked },
    },
    ...change,
  });

test("the stack file of a chat that was installed by hand holds its restart, and has what its unit says", async () => {
  const { text, secrets } = await made([balancer, chat]);
  expect(values(text)).toMatchObject({
    deployment: {
      topology: "separate-server",
      clientMessenger: { restart: "hold" },
      share: { hosted: true },
      java: { package: "openjdk-21-jdk", version: 21 },
      database: { host: "db.acme", user: "chat", name: "JTELWeb" },
      loadBalancers: [{ name: "lb1", address: "10.1.0.11", hostKey }],
      chatServers: [{ name: "chatserver1", address: "10.1.0.21", hostKey }],
    },
  });
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=docs/stack-file.schema.json");
  expect(text).toMatch(/restart: hold # chat on chatserver1 was installed by hand/);
  expect(text).toMatch(/host: db\.acme # from the unit on chatserver1/);
  expect(text).toMatch(/name: lb1 # HAProxy has acdportal_https/);
  expect(text).toContain(keyFingerprint(hostKey));
  expect(secrets).toEqual({});
});

const whatsapp = { portal: "https://portal.acme.example", serviceNumber: "+498912345678" };

test("WhatsApp, a maintenance window and a jump host are as they were given, and the account's key is asked for", async () => {
  const jump = { user: "ops", address: "203.0.113.5", port: 22, hostKey };
  const https = { haproxy: { frontends: [{ name: "portal_https", ports: [443], tls: true }] } };
  const lb1 = { ...at(surveyed("lb1", https), "10.1.0.11"), jump };
  const asked: string[] = [];
  const askSecret = async (question: string) => {
    asked.push(question);
    return question.includes("TynTec") ? "key" : undefined;
  };
  const maintenance = { days: ["tue"], from: "22:00", to: "04:00" };
  const given = {
    publicHost: "chat.acme.example",
    scheme: "https",
    ...whatsapp,
    tyntecApi: "v3" as const,
    maintenance,
  };
  const { text, secrets, missing } = await made([lb1, chat], { given, questions: { ...nobody, askSecret } });
  expect(values(text)).toMatchObject({
    deployment: {
      whatsapp: { ...whatsapp, frontend: "portal_https" },
      tyntec: { apiVersion: "v3", apiKey: "k" },
      maintenance: { ...maintenance, timezone: "Europe/Berlin" },
      loadBalancers: [{ name: "lb1", jump }],
    },
  });
  expect(asked).toEqual(["Password of the database", "API key of the TynTec account"]);
  expect({ secrets, missing }).toEqual({ secrets: { "tyntec.apiKey": "key" }, missing: ["database.password"] });
});

test("a person is asked for WhatsApp with https only, and for its number and API where there is a portal", async () => {
  const asking = async (scheme: string, portal?: string): Promise<string[]> => {
    const asked: string[] = [];
    const ask = async (question: string, proposal?: string) => {
      asked.push(question.split(/[ ,]/).slice(0, 2).join(" "));
      return question.startsWith("WhatsApp's portal") ? portal : (proposal ?? whatsapp.serviceNumber);
    };
    const given = { publicHost: "chat.acme.example", scheme, maintenance: { from: "22:00", to: "23:00" } };
    await made([balancer, chat], { given, questions: { ...nobody, ask } });
    return asked.filter((each) => !each.startsWith("Topology"));
  };
  expect(await asking("http")).toEqual([]);
  expect(await asking("https")).toEqual(["WhatsApp's portal"]);
  expect(await asking("https", whatsapp.portal)).toEqual(["WhatsApp's portal", "WhatsApp's number", "Version of"]);
});

test("a host without chat has nothing held, and what is the default is not written", async () => {
  const { text } = await made([balancer, at(surveyed("chatserver1", {}), "10.1.0.21")]);
  expect(text).not.toMatch(/restart|database|java|share/);
  expect(values(text)).toHaveProperty("deployment");
});

test("what a host says cannot leave its comment, and is text where it is a value", () => {
  const evil = { ...byHand, database: { ...database, user: 'x"\n  jtel-chat:onDrift: stop', host: "db" } };
  const lb = surveyed("lb1", { haproxy: { frontends: [{ name: "a\njtel-chat:onDrift: stop" }] } });
  const proposal = proposed([lb, at(surveyed("c1", { chat: evil }), "10.1.0.21")]);
  if (!proposal) throw new Error("there is a load balancer");
  const given = { ...proposedValues(proposal), host: { value: "chat.acme.example", why: "x\n  y: z" } };
  const text = stackFileText({ customer: "acme", user: "deploy", proposal, values: given, made: new Date() });
  expect(values(text)).toMatchObject({ deployment: { onDrift: "heal", database: { user: evil.database.user } } });
  const port = { ...given, database: [{ key: "port", value: "1\n  jtel-chat:onDrift: stop", why: "" }] };
  expect(
    values(stackFileText({ customer: "acme", user: "deploy", proposal, values: port, made: new Date() })),
  ).toMatchObject({ problems: [{ key: "database.port" }] });
});

const offering = (host: Surveyed): Surveyed => ({
  entry: host.entry,
  offered: { hostKey, fingerprint: keyFingerprint(hostKey) },
  problem: "its host key is unknown",
});

/** Looks at lb1 only when its key was vouched for. */
const surveying = (hosts: Surveyed[]) =>
  vi.fn(async (asked: Surveyed["entry"]) => {
    const host = hosts.find(({ entry: { name } }) => name === asked.name) as Surveyed;
    return asked.name !== "lb1" || asked.hostKey ? { ...host, entry: asked } : offering(host);
  });

test("an unknown host key is pinned once a person has compared it, and only then", async () => {
  const confirm = vi.fn(async () => true);
  const hosts = [balancer, chat];
  const survey = surveying(hosts);
  const { text } = await made(hosts, { survey, questions: { ...nobody, confirm } });
  expect(confirm).toHaveBeenCalledWith(expect.stringContaining(keyFingerprint(hostKey)));
  expect(survey).toHaveBeenLastCalledWith(expect.objectContaining({ hostKey }));
  expect(text).toContain(`hostKey: ${hostKey}`);
  await expect(made(hosts, { survey: surveying(hosts) })).rejects.toThrow(/lb1: its host key is unknown/);
});

test.each<[string, Surveyed[], object, RegExp]>([
  ["a host that was not seen", [{ entry: entry("lb1"), problem: "not reachable" }], {}, /lb1: not reachable/],
  ["no load balancer", [chat], {}, /no host has HAProxy/],
  [
    "a host of another stack",
    [at(surveyed("lb1", { ...balancer.facts, owner: "jtel-chat/other" }), "10.1.0.9")],
    {},
    /lb1: belongs to jtel-chat\/other/,
  ],
  ["two users", [balancer, { ...chat, entry: { ...chat.entry, user: "root" } }], {}, /several users \(deploy, root\)/],
  ["no public name", [balancer, chat], { given: {} }, /--public-host/],
  [
    "WhatsApp over http",
    [balancer, chat],
    { given: { publicHost: "chat.acme.example", scheme: "http", ...whatsapp } },
    /WhatsApp: TynTec calls https only/,
  ],
  [
    "WhatsApp without a number",
    [balancer, chat],
    { given: { publicHost: "chat.acme.example", scheme: "https", portal: whatsapp.portal } },
    /whatsapp\.serviceNumber: /,
  ],
  [
    "an answer that is no window",
    [balancer, chat],
    {
      questions: {
        ...nobody,
        ask: async (question: string, proposal?: string) => (question.startsWith("When") ? "nights" : proposal),
      },
    },
    /nights: is no maintenance window/,
  ],
  [
    "a value that no stack file takes",
    [balancer, chat],
    { given: { publicHost: "a b" } },
    /public\.host: "a b" is no host/,
  ],
])("with %s nothing is made, and it is said why", async (_, hosts, change, why) => {
  await expect(made(hosts, change)).rejects.toThrow(why);
});

const terminal = () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (chunk) => {
    shown += chunk;
  });
  const modes = { isTTY: true, setRawMode: () => input };
  const questions: Questions = person(Object.assign(input, modes) as never, output as never);
  return { input, questions, shown: () => shown };
};

test("a secret is not shown while it is typed; an answer is, and an empty one is the proposal", async () => {
  const { input, questions, shown } = terminal();
  const secret = questions.askSecret("Password");
  input.write("gehe\u007fim\r");
  expect(await secret).toBe("gehim");
  expect(shown()).toContain("Password (not shown): ");
  expect(shown()).not.toMatch(/g|eh|im/);
  const answer = questions.ask("Topology", "lb-hosted");
  input.write("\r");
  expect(await answer).toBe("lb-hosted");
});

test("a secret is asked for on a terminal only", async () => {
  const { input, questions } = terminal();
  Object.assign(input, { isTTY: false });
  await expect(questions.askSecret("Password")).rejects.toThrow("on a terminal only");
});

test("a person who interrupts ends the question", async () => {
  const { input, questions } = terminal();
  const answer = questions.ask("Topology");
  input.write("\u0003");
  await expect(answer).rejects.toThrow("interrupted: nothing was written");
});

test("the certificate says the name and the scheme; one that cannot be read says nothing", async () => {
  const pem = await selfSigned("*.acme.example", "chat.acme.example");
  const path = "/etc/haproxy/haproxy.pem";
  const seenWith = (text: string) => {
    const haproxy = { frontends: [{ name: "acdportal_https" }], certificates: [{ path, pem: text }] };
    const proposal = proposed([surveyed("lb1", { haproxy }), chat]);
    return proposal && proposedValues(proposal);
  };
  expect(seenWith(pem)).toMatchObject({
    scheme: { value: "https", why: expect.stringMatching(/lb1 has a certificate, (?:29|30) days more/) },
    ...{ host: { value: "chat.acme.example" }, certificate: { value: path } },
  });
  expect(seenWith("")).toMatchObject({ scheme: { value: "http" }, host: undefined, certificate: undefined });
});
