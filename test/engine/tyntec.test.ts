import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { readWebhooks, writeWebhooks } from "../../tyntec/api/application.ts";
import { callbacks, type Webhook } from "../../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { startProxy } from "../connect-proxy.ts";
import { type LoopbackTyntec, startTyntec } from "../tyntec-stand-in.ts";
import { type Command, startEngine, type TyntecEngine } from "./tyntec/engine.ts";

const portal = "https://portal.acme.example";
const crm: Webhook = {
  events: ["MoMessage", "MessageStatus::unknown"],
  callbackUrl: "https://crm.example/hook?token=s3cret",
};

describe("TynTecWebhooks in the engine", { timeout: minutes }, () => {
  let tyntec: LoopbackTyntec;
  let engine: TyntecEngine;
  let stack: Stack;

  beforeAll(async () => {
    tyntec = await startTyntec();
    engine = await startEngine(tyntec);
    stack = engine.stack;
  });

  afterAll(async () => {
    await tyntec.stop();
  });

  beforeEach(async () => {
    await tyntec.reset({ webhooks: [crm] });
    await stack.importStack({ version: 3, deployment: {} });
  });

  afterEach(async () => {
    expect(await engine.backend()).not.toMatch(new RegExp(`${tyntec.apiKey}|s3cret`));
    stack.workspace.envVars.JTEL_CHAT_OBSERVE = "";
  });

  /** Runs `pulumi preview --diff`, `up` or `destroy` with these values in the stack file. */
  const run = (command: Command, options: object = {}) => engine.run(command, { url: tyntec.url, portal, ...options });

  const unchanged = { failed: false, steps: [], requests: ["GET"] };
  const ours = () => Object.fromEntries(callbacks(chatWebhooks(portal)));
  const present = async () => Object.fromEntries(callbacks(await readWebhooks(tyntec)));

  test("somebody else's event is shown and stops the run before anything is written", async () => {
    for (const command of ["preview", "up"] as const) {
      const { failed, text, steps, requests } = await run(command);
      expect({ failed, steps, requests }).toEqual({ failed: true, steps: [], requests: ["GET"] });
      expect(text).toContain(
        "nothing was changed:\nTynTec: MoMessage goes to https://crm.example/hook?…: another system",
      );
      expect(text).toContain("set tyntec.takeOver: true");
    }
  });

  test("taken over, repeated, given back", async () => {
    const preview = await run("preview", { takeOver: true });
    expect(preview).toMatchObject({
      failed: false,
      steps: ["create host", "create tyntec-webhooks"],
      requests: ["GET"],
    });
    expect(preview.text).toContain("at TynTec now:\nMoMessage goes to https://crm.example/hook?…");

    const up = await run("up", { takeOver: true });
    expect(up).toMatchObject({ failed: false, requests: ["GET", "GET", "PATCH", "GET"] });
    expect(await present()).toEqual({ ...ours(), "MessageStatus::unknown": crm.callbackUrl });
    expect(await run("up", { takeOver: true })).toMatchObject(unchanged);
    expect(await run("preview", { takeOver: true })).toMatchObject(unchanged);

    expect(await run("up")).toMatchObject({
      failed: false,
      steps: ["update tyntec-webhooks"],
      requests: ["GET", "GET"],
    });
    const destroy = await run("destroy");
    expect(destroy).toMatchObject({ failed: false, requests: ["GET", "PATCH", "GET"] });
    expect(destroy.text).toMatch(/go to https:\/\/portal\.acme\.example\/delivery still:.* cannot unset an event/);
    expect(await present()).toEqual({ ...ours(), ...Object.fromEntries(callbacks([crm])) });
  });

  test("what was moved at TynTec is shown and moved back, as often as it happens", async () => {
    await tyntec.reset();
    await run("up");
    for (const time of ["2.", "3."]) {
      await writeWebhooks(tyntec, [crm]);
      const stopped = await run("up", { onDrift: "stop" });
      expect(stopped).toMatchObject({ failed: true, steps: [], requests: ["GET"] });
      expect(stopped.text).toMatch(/TynTec: MoMessage goes to https:\/\/crm.*onDrift is "stop"/);
      const preview = await run("preview");
      expect(preview).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"], requests: ["GET"] });
      expect(preview.text).toMatch(
        new RegExp(`"node tyntec/webhooks.ts apply # ${time} time: MoMessage goes to https://crm`),
      );
      expect(await run("up")).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"] });
      expect(await present()).toEqual({ ...ours(), "MessageStatus::unknown": crm.callbackUrl });
      expect(await run("up")).toMatchObject(unchanged);
    }
  });

  test("events follow the portal's new name without being asked for, and go back in the end", async () => {
    await run("up", { takeOver: true });
    const renamed = { portal: "https://new.acme.example" };
    expect(await run("up", renamed)).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"] });
    expect(await present()).toMatchObject({ MoMessage: "https://new.acme.example/incoming" });
    expect(await run("up", renamed)).toMatchObject(unchanged);
    await run("destroy", renamed);
    expect(await present()).toMatchObject(Object.fromEntries(callbacks([crm])));
  });

  test("events that are ours already are adopted after the state was lost", async () => {
    await run("up", { takeOver: true });
    await stack.importStack({ version: 3, deployment: {} });
    expect(await run("up")).toMatchObject({ failed: false, requests: ["GET", "GET"] });
    expect(await run("up")).toMatchObject(unchanged);
  });

  test("a refused group event leaves everything as it was, and the option helps", async () => {
    await tyntec.reset();
    const before = await present();
    await tyntec.fail({ refuseEvents: "WhatsAppGroupEvent::" });
    const refused = await run("up");
    expect(refused.failed).toBe(true);
    expect(refused.text).toMatch(/set tyntec\.groupEvents: false\s+Nothing was changed there/);
    expect(await present()).toEqual(before);
    expect(await run("up", { groupEvents: false })).toMatchObject({ failed: false });
    expect(await run("up", { groupEvents: false })).toMatchObject(unchanged);
  });

  test("an API that cannot be asked stops the run before anything is written", async () => {
    await tyntec.fail({ status: 401, body: `{"detail": "unknown key ${tyntec.apiKey}"}` });
    for (const command of ["preview", "up"] as const) {
      const { failed, text, steps } = await run(command, { takeOver: true });
      expect({ failed, steps }).toEqual({ failed: true, steps: [] });
      expect(text).toContain("the API key is refused (401: unknown key [API key]). Set tyntec.apiKey");
    }
  });

  test("the API is asked through the proxy of HTTPS_PROXY, by the look and by the command", async () => {
    const proxy = await startProxy();
    stack.workspace.envVars.HTTPS_PROXY = proxy.url;
    const { failed, requests } = await run("up", { takeOver: true });
    delete stack.workspace.envVars.HTTPS_PROXY;
    proxy.stop();
    expect(failed).toBe(false);
    expect(proxy.asked).toEqual(requests.map(() => new URL(tyntec.url).host));
  });

  describe("with looking switched off", () => {
    beforeEach(() => {
      stack.workspace.envVars.JTEL_CHAT_OBSERVE = "never";
    });

    test("nothing is asked and nothing false shown", async () => {
      stack.workspace.envVars.JTEL_CHAT_OBSERVE = "";
      await tyntec.reset();
      await run("up");
      await writeWebhooks(tyntec, [crm]);
      await run("up"); // its command tells of the drift, and stays what the state says
      stack.workspace.envVars.JTEL_CHAT_OBSERVE = "never";
      for (const command of ["preview", "up"] as const) {
        const result = await run(command);
        expect(result).toMatchObject({ failed: false, steps: [], requests: [] });
        expect(result.text).toContain("Not approvable: not seen");
      }
    });

    test("a change is still written, but nothing taken over unasked", async () => {
      const refused = await run("up");
      expect(refused).toMatchObject({ failed: true, requests: ["GET"] });
      expect(refused.text).toContain("set tyntec.takeOver: true");
      expect(await run("up", { takeOver: true })).toMatchObject({ failed: false, requests: ["GET", "PATCH", "GET"] });
      const renamed = { portal: "https://new.acme.example" };
      expect(await run("up", renamed)).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"] });
      expect(await present()).toMatchObject({ MoMessage: "https://new.acme.example/incoming" });
    });
  });
});
