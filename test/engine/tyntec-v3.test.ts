import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { usualAccount } from "../../lab/stand-ins/tyntec/account.ts";
import { chatCallback } from "../../tyntec/model/chat-callback.ts";
import { type LoopbackTyntec, startTyntec } from "../tyntec-stand-in.ts";
import { type Command, startEngine, type TyntecEngine } from "./tyntec/engine.ts";

const portal = "https://portal.acme.example";
const ours = chatCallback(portal);
const crm = { inboundMessageUrl: "https://crm.example/hook?token=s3cret" };
const somebodys = { ...usualAccount.callback, ...crm };

describe("TynTecWebhooks in the engine, with version 3 of the API", { timeout: minutes }, () => {
  let tyntec: LoopbackTyntec;
  let engine: TyntecEngine;

  beforeAll(async () => {
    tyntec = await startTyntec();
    engine = await startEngine(tyntec);
  });
  afterAll(async () => {
    await tyntec.stop();
  });
  beforeEach(async () => {
    await engine.stack.importStack({ version: 3, deployment: {} });
  });
  afterEach(async () => {
    expect(await engine.backend()).not.toMatch(new RegExp(`${tyntec.apiKey}|s3cret|the-crm-`));
  });

  const run = (command: Command, options: object = {}) =>
    engine.run(command, { url: tyntec.url3, apiVersion: "v3", portal, ...options });
  const present = async () => (await tyntec.account()).callback;

  test("taken over, shown what overrides it, moved back, given back: nothing else of the callback changes", async () => {
    const channels = [{ channel: "whatsapp" as const, id: { phoneNumber: "4989123456" }, callback: crm }];
    await tyntec.reset({ callback: somebodys, channels });
    const up = await run("up", { takeOver: true });
    expect(up).toMatchObject({ failed: false, steps: ["create host", "create tyntec-callbacks"] });
    expect(up.text).toMatch(/at TynTec:\s+the WhatsApp channel 4989123456 has an own inboundMessageUrl/);
    expect(await present()).toEqual({ ...somebodys, ...ours });
    expect(await run("up", { takeOver: true })).toMatchObject({ failed: false, steps: [], requests: ["GET", "GET"] });

    await tyntec.reset({ callback: { ...somebodys, messageStatusUrl: ours.messageStatusUrl } });
    const healed = await run("up", { takeOver: true });
    expect(healed).toMatchObject({ failed: false, steps: ["update tyntec-callbacks"] });
    expect(healed.text).toMatch(/"node tyntec\/webhooks\.ts apply # 2\. time: inboundMessageUrl goes to https:\/\/crm/);
    expect(await present()).toEqual({ ...somebodys, ...ours });

    expect(await run("destroy")).toMatchObject({ failed: false, requests: ["GET", "PUT", "GET"] });
    expect(await present()).toEqual(somebodys);
  });

  test("a stack that changes from version 2 sets version 3 first, then gives version 2's events back", async () => {
    await tyntec.reset({ webhooks: [{ events: ["MoMessage"], callbackUrl: crm.inboundMessageUrl }] });
    expect(await run("up", { url: tyntec.url, apiVersion: "v2", takeOver: true })).toMatchObject({ failed: false });
    const changed = await run("up");
    expect(changed).toMatchObject({
      failed: false,
      steps: ["create tyntec-callbacks", "delete tyntec-webhooks"],
      requests: ["GET", "GET", "GET", "PUT", "GET", "GET", "PATCH", "GET"],
    });
    expect(await present()).toMatchObject(ours);
    expect((await tyntec.account()).webhooks).toContainEqual({
      events: ["MoMessage"],
      callbackUrl: crm.inboundMessageUrl,
    });
    expect(await run("up")).toMatchObject({ failed: false, steps: [] });
  });
});
