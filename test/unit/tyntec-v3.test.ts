import { describe, expect, test } from "vitest";
import { usualAccount } from "../../lab/stand-ins/tyntec/account.ts";
import type { Callback } from "../../lab/stand-ins/tyntec/contract/v3.ts";
import type { Failure } from "../../lab/stand-ins/tyntec/server.ts";
import { readCallbacks } from "../../tyntec/api/account.ts";
import { callbacksDocument } from "../../tyntec/document.ts";
import { chatCallback } from "../../tyntec/model/chat-callback.ts";
import { runProgram } from "../tyntec-program.ts";
import { tyntecOfTests } from "../tyntec-stand-in.ts";

const portal = "https://portal.acme.example";
const ours = chatCallback(portal);
const somebodys = usualAccount.callback as Callback;
const crm = { inboundMessageUrl: "https://crm.example/hook?token=s3cret" };

const tyntec = tyntecOfTests();

interface Options {
  portal?: string;
  takeOver?: true;
  previous?: string;
}

const run = async (action: "apply" | "undo", { previous, ...options }: Options = {}) => {
  const { url3: url, caFile } = tyntec;
  const document = callbacksDocument({ url, apiVersion: "v3", caFile, portal, ...options });
  const result = await runProgram(tyntec, action, document, previous);
  expect(result.stdout + result.stderr).not.toMatch(/the-crm-/);
  return result;
};

/** The callback as the account has it now. */
const present = async (): Promise<Callback | undefined> => (await tyntec.account()).callback;

describe("the account's callback", () => {
  test("gets chat's two URLs, keeps every other field, and is only read the second time", async () => {
    await tyntec.reset({ callback: { ...somebodys, callingNotificationUrl: "https://crm.example/calls", later: [1] } });
    const first = await run("apply");
    expect(first).toMatchObject({ failed: false, methods: ["GET", "PUT", "GET"] });
    expect(first.stderr).toContain(`TynTec: inboundMessageUrl goes to ${portal}/incoming now`);
    expect(await present()).toEqual({
      ...{ ...somebodys, callingNotificationUrl: "https://crm.example/calls", later: [1] },
      ...{ inboundMessageUrl: `${portal}/incoming`, messageStatusUrl: `${portal}/delivery` },
    });
    expect(await run("apply", { previous: first.stdout })).toMatchObject({ failed: false, methods: ["GET"] });
  });

  test("is made where the account has none, and is empty again after undo", async () => {
    await tyntec.reset({ callback: undefined });
    const { stdout: previous } = await run("apply");
    expect(await present()).toEqual(ours);
    expect(await run("undo", { previous })).toMatchObject({ failed: false, methods: ["GET", "PUT", "GET"] });
    expect(await present()).toEqual({});
  });

  test("is taken over only when asked for, and given back", async () => {
    await tyntec.reset({ callback: { ...somebodys, ...crm } });
    const refused = await run("apply");
    expect(refused).toMatchObject({ failed: true, methods: ["GET"] });
    expect(refused.stderr).toMatch(
      /^TynTec: inboundMessageUrl goes to https:\/\/crm\.example\/hook\?…: another system .*set tyntec\.takeOver: true/,
    );
    const { stdout: previous } = await run("apply", { takeOver: true });
    expect(await present()).toEqual({ ...somebodys, ...ours });
    const undone = await run("undo", { previous });
    expect(undone.failed).toBe(false);
    expect(await present()).toEqual({ ...somebodys, ...crm });
  });

  test("that was moved is ours to bring back; one that was moved before undo stays", async () => {
    const { stdout: previous } = await run("apply");
    await tyntec.reset({ callback: { ...somebodys, ...ours, ...crm } });
    expect(await run("apply", { previous })).toMatchObject({ failed: false });
    expect(await present()).toEqual({ ...somebodys, ...ours });
    await tyntec.reset({ callback: { ...somebodys, ...ours, ...crm } });
    await run("undo", { previous });
    expect(await present()).toEqual({ ...somebodys, ...crm });
  });

  test("keeps a signature that is switched off by an empty object", async () => {
    const body = JSON.stringify({ scopes: usualAccount.scopes, callback: { signature: {}, header: null } });
    await tyntec.fail({ method: "GET", status: 200, body, count: 1 });
    await run("apply");
    const put = (await tyntec.requests()).findLast(({ method }) => method === "PUT");
    expect(JSON.parse(put?.body ?? "")).toEqual({ ...ours, signature: {}, header: null });
  });

  test("follows the portal's new name", async () => {
    const { stdout: previous } = await run("apply");
    expect(await run("apply", { previous, portal: "https://new.acme.example" })).toMatchObject({ failed: false });
    expect(await present()).toMatchObject(chatCallback("https://new.acme.example"));
  });
});

describe("what keeps chat from writing is named before anything is written", () => {
  test.each(["callbacks:read", "callbacks:write"] as const)("a key without the scope %s", async (scope) => {
    await tyntec.reset({ scopes: usualAccount.scopes.filter((each) => each !== scope) });
    const { failed, stderr, methods } = await run("apply");
    expect({ failed, methods }).toEqual({ failed: true, methods: ["GET"] });
    expect(stderr).toMatch(
      new RegExp(`^TynTec: the API key may not .*: it lacks the scope ${scope}\\. Have TynTec add`),
    );
  });

  test("a key that may only read is enough where all is set", async () => {
    await tyntec.reset({ scopes: ["callbacks:read"], callback: { ...somebodys, ...ours } });
    expect(await run("apply")).toMatchObject({ failed: false, methods: ["GET"] });
  });

  test.each(["", "********", "s****"])(
    "a signature's secret that is shown as %j, which a PUT would destroy",
    async (secret) => {
      const body = JSON.stringify({
        scopes: usualAccount.scopes,
        callback: { signature: { secret, method: "HS256" } },
      });
      await tyntec.fail({ method: "GET", status: 200, body });
      const { failed, stderr, methods } = await run("apply");
      expect({ failed, methods }).toEqual({ failed: true, methods: ["GET"] });
      expect(stderr).toMatch(
        /does not show signature\.secret .* would destroy that\. Set the two URLs in TynTec's own pages/,
      );
    },
  );
});

describe("what keeps messages from chat is shown", () => {
  const overrides = async (): Promise<string[]> => {
    const account = { url: tyntec.url3, apiKey: tyntec.apiKey, caFile: tyntec.caFile };
    return (await readCallbacks("v3", account)).overrides(new Map(Object.entries(ours)));
  };
  const channel = (callback: Callback) => ({
    channel: "whatsapp" as const,
    id: { phoneNumber: "4989123456" },
    callback,
  });

  test("not where a channel sets nothing, or the same", async () => {
    expect(await overrides()).toEqual([]);
    await tyntec.reset({ channels: [channel({ ...ours, callbackVersion: "2.13" })] });
    expect(await overrides()).toEqual([]);
  });

  test("a channel's own URL, without its query", async () => {
    await tyntec.reset({ channels: [channel(crm)] });
    expect(await overrides()).toEqual([
      "the WhatsApp channel 4989123456 has an own inboundMessageUrl, https://crm.example/hook?…, which wins over the account's: chat does not get that",
    ]);
  });

  test("a filter of the account or a channel that leaves out what chat needs", async () => {
    const eventFilter: Callback["eventFilter"] = ["accepted", "delivered", "failed", "channelFailed", "deleted"].map(
      (status) => `MessageStatus::${status}`,
    );
    await tyntec.reset({ callback: { ...somebodys, eventFilter }, channels: [channel({ eventFilter })] });
    expect(await overrides()).toEqual([
      "the eventFilter of the account leaves out MessageStatus::seen: chat does not get that",
      "the eventFilter of the WhatsApp channel 4989123456 leaves out MessageStatus::seen: chat does not get that",
    ]);
  });

  test("that it is not known, without the scope or where the API fails", async () => {
    await tyntec.reset({ scopes: ["callbacks:read"] });
    expect(await overrides()).toEqual([
      "whether a WhatsApp channel has URLs of its own is not known: the API key lacks the scope channels:read",
    ]);
    await tyntec.reset();
    await tyntec.fail({ skip: 1, status: 404 });
    expect(await overrides()).toEqual([
      expect.stringMatching(/is not known: TynTec: GET .*\/channels\/whatsapp: there is no list of channels \(404/),
    ]);
  });
});

describe("an API that misbehaves", () => {
  const read = (attempt = 10_000, total = 10_000) =>
    readCallbacks("v3", {
      ...{ url: tyntec.url3, apiKey: tyntec.apiKey, caFile: tyntec.caFile },
      patience: { attempt, total, pause: 20 },
    });

  test.each<[string, Failure, RegExp]>([
    ["401", { status: 401 }, /the API key is refused \(401: .*with the scopes callbacks:read and callbacks:write$/],
    ["403", { status: 403 }, /the API key is refused \(403: /],
    ["404", { status: 404 }, /there is no account configuration \(404: .*Is tyntec\.url the API's base URL/],
    ["429", { status: 429, retryAfter: 90 }, /cannot do it now \(429: .*Try again in 90 s, as it asks$/],
    ["500", { status: 500 }, /cannot do it now \(500: .*Try again later$/],
    ["no answer", { delay: 1_000 }, /is not reachable \(no complete answer within 0\.3 s\)/],
    ["garbage", { status: 200, body: "<html>", type: "text/html" }, /200, but no account configuration came: 6 bytes/],
    ["an object of something else", { status: 200, body: "{}" }, /200, but no account configuration came: 2 bytes/],
    ["a callback that is none", { status: 200, body: '{"scopes":[],"callback":[]}' }, /no account configuration came/],
    [
      "a problem document whose status is a number",
      { status: 400, body: '{"status": 400, "violations": [{"field": "header.key", "message": "is odd"}]}' },
      /refused \(400: header\.key is odd\)\. Correct what it names$/,
    ],
  ])("is named: %s", async (_, failure, text) => {
    await tyntec.fail(failure);
    const patience: [number, number] = failure.delay ? [300, 100] : [10_000, 100];
    await expect(read(...patience)).rejects.toThrow(text);
    await expect(read(...patience)).rejects.toThrow(
      /^TynTec: GET https:\/\/127\.0\.0\.1:\d+\/conversations\/v3\/configurations: /,
    );
  });

  test("is asked again, and a PUT written again: it holds the complete callback", async () => {
    await tyntec.fail({ method: "PUT", cut: true, late: true, count: 1 });
    const callbacks = await read();
    const { length } = await tyntec.requests();
    await callbacks.redirect(new Map(Object.entries(ours)));
    const written = (await tyntec.requests()).slice(length).filter(({ method }) => method === "PUT");
    expect(written.map(({ status }) => status)).toEqual(["cut", 200]);
    expect(await present()).toEqual({ ...somebodys, ...ours });
  });

  test("that quotes somebody's secrets does not get them into a message", async () => {
    const callbacks = await read();
    await tyntec.fail({ status: 400, body: '{"detail": "the-crm-signs-with-this, the-crm-asks-for-this"}' });
    await expect(callbacks.redirect(new Map())).rejects.toThrow(/\(400: \[secret\], \[secret\]\)/);
  });
});
