import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { startProxy } from "../connect-proxy.ts";
import { type LoopbackTyntec, startTyntec } from "../tyntec-stand-in.ts";
import { startEngine, type TyntecEngine } from "./tyntec/engine.ts";

const portal = "https://portal.acme.example";

describe("the API key goes in a preview only the way that the last up has sent it", { timeout: 2 * minutes }, () => {
  let tyntec: LoopbackTyntec;
  let elsewhere: LoopbackTyntec;
  let engine: TyntecEngine;

  beforeAll(async () => {
    tyntec = await startTyntec();
    elsewhere = await startTyntec();
    engine = await startEngine(tyntec);
    expect(await engine.run("up", { url: tyntec.url, portal })).toMatchObject({ failed: false });
  });
  afterAll(async () => {
    await tyntec.stop();
    await elsewhere.stop();
  });

  test("not to another server, whatever version is named", async () => {
    const { url3: url, caFile } = elsewhere;
    const { failed, text, requests } = await engine.run("preview", { url, apiVersion: "v3", caFile, portal });
    expect({ failed, requests, elsewhere: await elsewhere.requests() }).toEqual({
      failed: false,
      requests: [],
      elsewhere: [],
    });
    expect(text).toMatch(/TynTec was not asked.*tyntec\.url leads to .*tyntec\.caFile is .*Not approvable: not seen/);
  });

  test("not through another proxy; an up asks, and is remembered", async () => {
    const proxy = await startProxy();
    engine.stack.workspace.envVars.HTTPS_PROXY = proxy.url;
    const preview = await engine.run("preview", { url: tyntec.url, portal });
    expect(preview).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"], requests: [] });
    expect(preview.text).toContain(`# 2. time: the proxy is ${new URL(proxy.url).host}, and was none`);
    expect(proxy.asked).toEqual([]);
    const up = await engine.run("up", { url: tyntec.url, portal });
    expect(up).toMatchObject({ failed: false, steps: ["update tyntec-webhooks"], requests: ["GET", "GET"] });
    const again = await engine.run("preview", { url: tyntec.url, portal });
    expect(again).toMatchObject({ failed: false, steps: [], requests: ["GET"] });
    proxy.stop();
  });
});
