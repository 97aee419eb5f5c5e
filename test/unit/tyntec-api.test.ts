import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Failure } from "../../lab/stand-ins/tyntec/server.ts";
import { readWebhooks, writeWebhooks } from "../../tyntec/api/application.ts";
import type { TynTecAccount } from "../../tyntec/api/call.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { startProxy } from "../connect-proxy.ts";
import { freePort } from "../contract/ssh-server.ts";
import { tyntecOfTests } from "../tyntec-stand-in.ts";

const wanted = chatWebhooks("https://portal.acme.example");
const other = [{ events: ["MessageStatus::unknown"], callbackUrl: "https://crm.lab.example/tyntec" }];
const patience = { attempt: 2_000, total: 2_500, pause: 20 };

const tyntec = tyntecOfTests();
let account: TynTecAccount;

beforeEach(async () => {
  account = { url: tyntec.url, apiKey: tyntec.apiKey, caFile: tyntec.caFile, patience };
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Status of each request that `work` has made. */
const requests = async (work: () => Promise<unknown>): Promise<(number | "cut")[]> => {
  const { length } = await tyntec.requests();
  await work();
  return (await tyntec.requests()).slice(length).map(({ status }) => status);
};

/** What a person reads of a failed call; never the key. */
const complaint = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => new Error("it has not failed"),
    (reason: Error) => reason,
  );
  expect(error.message).not.toContain(account.apiKey);
  return error.message;
};

describe("asks again", () => {
  test.each<[string, Failure]>([
    ["429 with seconds", { status: 429, retryAfter: 1 }],
    ["500", { status: 500 }],
    ["503", { status: 503 }],
    ["an HTML page of a gateway", { status: 502, body: "<html>Bad Gateway</html>", type: "text/html" }],
    ["a connection that is closed", { cut: true }],
    ["an answer that breaks off", { cut: "halfway" }],
    ["no answer in time", { delay: 2_200 }],
  ])("after %s", async (_, failure) => {
    await tyntec.fail({ ...failure, count: 1 });
    account.patience = { ...patience, total: 5_000 };
    expect(await readWebhooks(account)).toEqual(other);
  });

  test.each([
    ["seconds", () => 1],
    ["a date", () => new Date(Date.now() + 2_000).toUTCString()],
  ])("not before Retry-After, given as %s", async (_, retryAfter) => {
    await tyntec.fail({ status: 503, retryAfter: retryAfter(), count: 1 });
    const began = Date.now();
    await readWebhooks(account);
    expect(Date.now() - began).toBeGreaterThan(900);
  });

  test("for a PATCH, too: it may be written twice", async () => {
    await tyntec.fail({ method: "PATCH", cut: true, late: true, count: 1 });
    expect(await requests(() => writeWebhooks(account, wanted))).toEqual(["cut", 204]);
    expect(await readWebhooks(account)).toEqual([...other, ...wanted]);
  });

  test("only for a while", async () => {
    await tyntec.fail({ status: 503 });
    account.patience = { attempt: 5_000, total: 400, pause: 50 };
    const statuses = await requests(() => complaint(readWebhooks(account)));
    expect(statuses.length).toBeGreaterThan(1);
    expect(statuses.length).toBeLessThan(6);
  });

  test.each([400, 401, 403, 404, 301])("not after %d, which will not pass", async (status) => {
    await tyntec.fail({ status });
    expect(await requests(() => complaint(readWebhooks(account)))).toEqual([status]);
  });

  test("not when the API wants to be left alone for longer than that, and says for how long", async () => {
    await tyntec.fail({ status: 429, retryAfter: 3600 });
    const began = Date.now();
    expect(await complaint(readWebhooks(account))).toMatch(
      /cannot do it now \(429: .*Try again in 3600 s, as it asks$/,
    );
    expect(Date.now() - began).toBeLessThan(1_000);
  });
});

describe("says what, where, why and what to do", () => {
  test.each<[string, Failure, RegExp]>([
    ["401", { status: 401 }, /the API key is refused \(401: Told to fail – the lab answers 401\)\. Set tyntec\.apiKey/],
    ["403", { status: 403 }, /the API key is refused \(403: .*Set tyntec\.apiKey/],
    ["404", { status: 404 }, /there is no application \(404: .*Is tyntec\.url the API's base URL, with its version\?/],
    ["a redirect", { status: 302, body: "" }, /there is no application \(302\)\. Is tyntec\.url/],
    ["503", { status: 503 }, /the API cannot do it now \(503: .*Try again later/],
    [
      "a problem document whose status is a text",
      { status: 400, body: '{"status": "400", "title": "Bad", "detail": "no such thing"}' },
      /refused \(400: Bad – no such thing\)\. Correct what it names/,
    ],
    [
      "a problem document with odd types in it",
      { status: 400, body: '{"title": 7, "detail": "no such thing", "violations": "none"}' },
      /refused \(400: no such thing\)\./,
    ],
    [
      "violations",
      { status: 422, body: '{"title": "Constraint", "violations": [{"field": "webhooks[0]", "message": "is odd"}]}' },
      /refused \(422: Constraint – webhooks\[0\] is odd\)\./,
    ],
    [
      "an HTML page",
      { status: 400, body: "<html>No</html>", type: "text/html" },
      /\(400, text\/html instead of a reason\)/,
    ],
    ["an empty body", { status: 400, body: "" }, /refused \(400\)\./],
    ["broken JSON", { status: 400, body: '{"title": "Ba' }, /refused \(400, application\/json instead of a reason\)\./],
    ["a list", { status: 400, body: "[]" }, /refused \(400/],
    ["control characters", { status: 400, body: '{"title": "a\\u001b[31m\\nb"}' }, /refused \(400: a\?\[31m b\)\./],
    ["a long reason", { status: 400, body: `{"title": "${"x".repeat(5_000)}"}` }, /refused \(400: x{399}…\)\./],
    [
      "a huge answer",
      { status: 400, body: "x".repeat(2_000_000) },
      /the answer is too long for the API's\. Is tyntec\.url/,
    ],
    [
      "a page where the application belongs",
      { status: 200, body: "<html>", type: "text/html" },
      /200, but no application came: 6 bytes of text\/html\. Is/,
    ],
    [
      "a type with a terminal's escapes",
      { status: 200, body: "<html>", type: "text/\u009b31mhtml" },
      /6 bytes of text\/\?31mhtml\. Is/,
    ],
    ["nothing where the application belongs", { status: 200, body: "" }, /200, but no application came: nothing\. Is/],
    [
      "an application of another shape",
      { status: 200, body: '{"webhooks": [{"events": "all"}]}' },
      /no application came: .* of application\/json\./,
    ],
    [
      "an object of something else",
      { status: 200, body: '{"status": "ok"}' },
      /200, but no application came: 16 bytes of application\/json\. Is/,
    ],
    [
      "a key that is echoed",
      { status: 401, body: '{"detail": "unknown key k3y-that-must-not-be-seen"}' },
      /unknown key \[API key\]\)/,
    ],
    [
      "a key that is cut",
      { status: 401, body: `{"detail": "${"x".repeat(395)}k3y-that-must-not-be-seen"}` },
      /x\[API…/,
    ],
  ])("about %s", async (_, failure, text) => {
    await tyntec.fail(failure);
    account.patience = { ...patience, total: 100 };
    const said = await complaint(readWebhooks(account));
    expect(said).toMatch(text);
    expect(said).toMatch(/^TynTec: GET https:\/\/127\.0\.0\.1:\d+\/chat-api\/v2\/applications\/default: /);
    expect(said.length).toBeLessThan(800);
  });

  test("about a wrong key", async () => {
    account.apiKey = "another-key";
    expect(await complaint(readWebhooks(account))).toMatch(/the API key is refused \(401: Unauthorized/);
  });

  test("about a slow API", async () => {
    await tyntec.fail({ delay: 1_000 });
    account.patience = { attempt: 200, total: 300, pause: 20 };
    expect(await complaint(readWebhooks(account))).toMatch(
      /127\.0\.0\.1:\d+ is not reachable \(no complete answer within 0\.2 s\)\. Is tyntec\.url right, and may this machine/,
    );
  });

  test("about nobody there, at once", async () => {
    account.url = `https://127.0.0.1:${await freePort()}/chat-api/v2`;
    expect(await complaint(readWebhooks(account))).toMatch(
      /is not reachable \(.*ECONNREFUSED.*\)\. Is tyntec\.url right/,
    );
  });

  test("about a certificate of an unknown authority", async () => {
    account.caFile = undefined;
    expect(await complaint(readWebhooks(account))).toMatch(
      /its certificate is not accepted \(.*name its PEM file in tyntec\.caFile$/,
    );
  });

  test("about a caFile that is not there, or holds none", async () => {
    account.caFile = join(tyntec.directory, "missing.pem");
    expect(await complaint(readWebhooks(account))).toMatch(/tyntec\.caFile cannot be read \(ENOENT.*Correct the path/);
    await writeFile(account.caFile, "nothing");
    expect(await complaint(readWebhooks(account))).toMatch(/its certificate is not accepted/);
  });

  test("about refused group events, naming the option that leaves them out", async () => {
    await tyntec.fail({ refuseEvents: "WhatsAppGroupEvent::" });
    expect(await complaint(writeWebhooks(account, wanted))).toMatch(
      /PATCH .*refused \(400: Constraint Violation – .* unknown event type WhatsAppGroupEvent::userJoined.*\)\. .*set tyntec\.groupEvents: false$/,
    );
    await writeWebhooks(account, chatWebhooks("https://portal.acme.example", { groupEvents: false }));
    expect((await readWebhooks(account)).flatMap(({ events }) => events)).toHaveLength(8);
  });
});

describe("goes through the proxy of this machine", () => {
  test("that HTTPS_PROXY names, trusting caFile behind it", async () => {
    const proxy = await startProxy();
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    expect(await readWebhooks(account)).toEqual(other);
    expect(proxy.asked).toEqual([new URL(tyntec.url).host]);
    account.caFile = undefined;
    expect(await complaint(readWebhooks(account))).toMatch(/its certificate is not accepted/);
    proxy.stop();
  });

  test("but not to a host that NO_PROXY names", async () => {
    const proxy = await startProxy();
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    vi.stubEnv("NO_PROXY", "localhost,127.0.0.1");
    expect(await readWebhooks(account)).toEqual(other);
    expect(proxy.asked).toEqual([]);
    proxy.stop();
  });

  test.each([403, 407, 502])("and says when it refuses with %d, without its password", async (status) => {
    const proxy = await startProxy(status);
    vi.stubEnv("HTTPS_PROXY", proxy.url.replace("//", "//me:s3cret@"));
    const said = await complaint(readWebhooks(account));
    expect(said).toMatch(
      new RegExp(`is not reachable \\(.*${status}.*\\)\\..* A proxy is set \\(HTTPS_PROXY, 127\\.0\\.0\\.1:\\d+\\)`),
    );
    expect(said).not.toContain("s3cret");
    proxy.stop();
  });

  test.each(["s3cret", "ftp://me:s3cret@proxy.example"])(
    "and says when HTTPS_PROXY cannot be one: %s",
    async (value) => {
      vi.stubEnv("HTTPS_PROXY", value);
      const said = await complaint(readWebhooks(account));
      expect(said).toMatch(/is not reachable .* A proxy is set \(HTTPS_PROXY, .*\): is it right/);
      expect(said).not.toContain("s3cret");
    },
  );

  test("and says when nobody is there", async () => {
    vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${await freePort()}`);
    expect(await complaint(readWebhooks(account))).toMatch(/is not reachable .* A proxy is set/);
  });
});
