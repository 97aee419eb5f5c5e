import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { Look, unseen } from "../../hosts/look/look.ts";
import type { SeenHost } from "../../hosts/look/look-at-host.ts";
import type { ObservedHost, StepQuestion } from "../../hosts/look/question.ts";

const host = (name: string): ObservedHost => ({ name, address: name, port: 22, user: "deploy", hostKey: "" });
const [lb1, chatserver1] = [host("lb1"), host("chatserver1")];
const step = (of: ObservedHost, name: string): StepQuestion => ({ host: of, step: name, document: undefined });

/** A host that answers each step with the step's own name as the reason. */
const answers = async ({ name }: ObservedHost, asked: Promise<StepQuestion[]>): Promise<SeenHost> => {
  const nothing = { drifted: false, diff: "", problems: [], warnings: [], facts: {}, alike: {}, active: false };
  const steps = (await asked).map(
    (each) => [each.step, { generation: 1, reason: `${name} ${each.step}`, ...nothing }] as const,
  );
  return { name, answers: Object.fromEntries(steps), problems: [] };
};

/** A host that answers, and has a problem. */
const complains = async (at: ObservedHost, asked: Promise<StepQuestion[]>): Promise<SeenHost> => ({
  ...(await answers(at, asked)),
  problems: [`${at.name}: disk full`],
});

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

afterEach(() => {
  vi.unstubAllEnvs();
});

test("nothing is asked before the look is closed", async () => {
  const asked = vi.fn(answers);
  const prerequisite = vi.fn(async () => ({ found: 7, problems: [] }));
  const look = new Look(async (at, questions) => asked(at, Promise.resolve(await questions)));
  look.registerStep(step(lb1, "java"));
  look.registerPrerequisite({ name: "tyntec-webhooks", look: prerequisite });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).not.toHaveBeenCalled();
  expect(prerequisite).not.toHaveBeenCalled();
  await look.close();
  expect(asked).toHaveBeenCalledOnce();
  expect(prerequisite).toHaveBeenCalledOnce();
});

test("a host is connected to with its first step", () => {
  const lookAt = vi.fn(answers);
  new Look(lookAt).registerStep(step(lb1, "java"));
  expect(lookAt).toHaveBeenCalledOnce();
});

test("a host that was logged in to is asked once, also what another object with its name is asked", async () => {
  const lookAt = vi.fn(answers);
  const look = new Look(lookAt);
  look.logIn(host("lb1"));
  const heard = look.registerStep(step(lb1, "java"));
  await look.close();
  expect(lookAt).toHaveBeenCalledOnce();
  expect(await heard).toMatchObject({ reason: "lb1 java" });
});

test("steps that are registered in another turn of the event loop belong to the same look", async () => {
  const lookAt = vi.fn(answers);
  const look = new Look(lookAt);
  look.registerStep(step(lb1, "java"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const late = look.registerStep(step(lb1, "haproxy"));
  await look.close();
  expect(lookAt).toHaveBeenCalledOnce();
  expect(await late).toMatchObject({ reason: "lb1 haproxy" });
});

test("what comes after that is refused by its name, and the error says what to do", async () => {
  const look = new Look(answers);
  await look.close();
  expect(() => look.registerStep(step(lb1, "haproxy"))).toThrow(/^lb1-haproxy: .* Register it before look\.close\(\)/);
  const prerequisite = { name: "tyntec-webhooks", look: async () => ({ found: 7, problems: [] }) };
  expect(() => look.registerPrerequisite(prerequisite)).toThrow(/^tyntec-webhooks: .* Register it before/);
});

test("a host is asked once, however many steps it has, and each step hears its own answer", async () => {
  const lookAt = vi.fn(answers);
  const look = new Look(lookAt);
  const questions = [step(lb1, "tool"), step(chatserver1, "tool"), step(lb1, "haproxy")];
  const heard = questions.map((question) => look.registerStep(question));
  await look.close();
  expect(await Promise.all(lookAt.mock.calls.map(async ([at, asked]) => [at, await asked]))).toEqual([
    [lb1, [questions[0], questions[2]]],
    [chatserver1, [questions[1]]],
  ]);
  expect(await Promise.all(heard)).toMatchObject(
    ["lb1 tool", "chatserver1 tool", "lb1 haproxy"].map((reason) => ({ reason })),
  );
});

test("no step hears anything before the last host has answered", async () => {
  const slow = Promise.withResolvers<void>();
  const look = new Look(async (at, asked) => {
    if (at === lb1) await slow.promise;
    return answers(at, asked);
  });
  const heard = vi.fn();
  const quick = look.registerStep(step(chatserver1, "java")).then(heard);
  look.registerStep(step(lb1, "haproxy"));
  const closed = look.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard).not.toHaveBeenCalled();
  slow.resolve();
  await closed;
  await quick;
  expect(heard).toHaveBeenCalledOnce();
});

test("all problems, of every host and of what else is looked at, come in one RunError, each once", async () => {
  const look = new Look(complains);
  const heard = [
    look.registerStep(step(lb1, "haproxy")),
    look.registerPrerequisite({
      name: "a",
      look: async () => ({ found: 7, problems: ["TynTec: taken", "lb1: disk full"] }),
    }),
    look.registerStep(step(chatserver1, "java")),
    look.registerPrerequisite({ name: "b", look: () => Promise.reject(new Error("TynTec: refused")) }),
  ];
  const errors = await Promise.all([look.close(), ...heard].map(rejection));
  expect(pulumi.RunError.isInstance(errors[0])).toBe(true);
  expect((errors[0] as Error).message).toBe(
    "nothing was changed:\nlb1: disk full\nchatserver1: disk full\nTynTec: taken\nTynTec: refused",
  );
  // Pulumi tells one error from another by identity, and prints each.
  expect(new Set(errors).size).toBe(1);
});

test("the error's text stays, whatever Pulumi writes before it for each input that waits for the look", async () => {
  const look = new Look(complains);
  const waiting = look.registerStep(step(lb1, "haproxy"));
  const errors = (await Promise.all([look.close(), waiting].map(rejection))) as Error[];
  for (const error of errors) error.message = `error serializing property "create": ${error.message}`;
  expect(errors[0]?.message).toBe("nothing was changed:\nlb1: disk full");
});

test("a host that was not seen, without that being a problem, leaves its steps unseen", async () => {
  const look = new Look(async ({ name }) => ({ name, answers: {}, problems: [] }));
  const heard = look.registerStep(step(lb1, "haproxy"));
  await look.close();
  expect(await heard).toBe(unseen);
});

test("with looking switched off nothing is asked, and everything is unseen; an up still brings the tool", async () => {
  vi.stubEnv("JTEL_CHAT_OBSERVE", "never");
  const lookAt = vi.fn(answers);
  const bring = vi.fn(async () => []);
  const prerequisite = vi.fn(async () => ({ found: 7, problems: [] }));
  const look = new Look(lookAt, bring);
  const heard = [
    look.registerStep(step(lb1, "haproxy")),
    look.registerPrerequisite({ name: "tyntec-webhooks", look: prerequisite }),
  ];
  await look.close();
  expect(await Promise.all(heard)).toEqual([unseen, unseen]);
  expect(lookAt).not.toHaveBeenCalled();
  expect(prerequisite).not.toHaveBeenCalled();
  expect(bring).toHaveBeenCalledExactlyOnceWith(lb1, {});
});

/** A host that says this beside its answers. */
const withFacts =
  (facts: Record<string, Record<string, string>>) => async (at: ObservedHost, asked: Promise<StepQuestion[]>) => {
    const seen = await answers(at, asked);
    for (const answer of Object.values(seen.answers)) answer.facts = facts[at.name] ?? {};
    return seen;
  };

const ours = { "draining:jtel-clientmessenger.service": "draining" };

test.each([
  { said: "maint", drains: {}, told: { chatserver1: "spared", chatserver2: "alone" } },
  { said: "maint", drains: ours, told: { chatserver1: "spared", chatserver2: "alone" } },
  { said: "drain", drains: {}, told: { chatserver1: "spared", chatserver2: "alone" } },
  { said: "drain", drains: ours, told: {} },
])("of a server in $said, of which its own host says $drains, the drains are told $told", async (given) => {
  const warned = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const bring = vi.fn(async () => []);
  const facts: Record<string, Record<string, string>> = {
    lb1: { "admin:chatserver1": given.said },
    chatserver1: given.drains,
  };
  const look = new Look(withFacts(facts), bring);
  look.registerStep(step(lb1, "haproxy"));
  for (const each of [chatserver1, host("chatserver2")]) look.registerStep(step(each, "drain"));
  await look.close();
  const calls = bring.mock.calls as unknown as [ObservedHost, object][];
  const wanted = Object.entries(given.told).map(([name, how]) => [name, { lb1: how }]);
  expect(calls.map(([{ name }, balancers]) => [name, balancers])).toEqual(wanted);
  expect(warned).toHaveBeenCalledTimes(wanted.length ? 1 : 0);
  warned.mockRestore();
});

test("with looking switched off, an up ends where the tool cannot be brought", async () => {
  vi.stubEnv("JTEL_CHAT_OBSERVE", "never");
  const look = new Look(answers, async ({ name }) => [`${name}: not reachable`]);
  const heard = look.registerStep(step(lb1, "haproxy"));
  await expect(look.close()).rejects.toThrow("nothing was changed:\nlb1: not reachable");
  await expect(heard).rejects.toThrow();
});

test("a prerequisite hears what it has found, once the hosts were seen", async () => {
  const look = new Look(answers);
  const found = look.registerPrerequisite({ name: "tyntec-webhooks", look: async () => ({ found: 7, problems: [] }) });
  await look.close();
  expect(await found).toBe(7);
});

test("closing twice is closing once", async () => {
  const lookAt = vi.fn(answers);
  const look = new Look(lookAt);
  look.registerStep(step(lb1, "java"));
  await Promise.all([look.close(), look.close()]);
  expect(lookAt).toHaveBeenCalledOnce();
});

test("a host that does not answer is waited for by name, every ten seconds", async () => {
  vi.useFakeTimers();
  const said = vi.spyOn(pulumi.log, "info").mockResolvedValue();
  const slow = Promise.withResolvers<void>();
  const look = new Look(async (at, asked) => {
    if (at === lb1) await slow.promise;
    return answers(at, asked);
  });
  const heard = [look.registerStep(step(lb1, "haproxy")), look.registerStep(step(chatserver1, "java"))];
  const closed = look.close();
  await vi.advanceTimersByTimeAsync(25_000);
  slow.resolve();
  await closed;
  await Promise.all(heard);
  vi.useRealTimers();
  expect(said.mock.calls.map(([text]) => text)).toEqual(["waiting for lb1", "waiting for lb1"]);
});
