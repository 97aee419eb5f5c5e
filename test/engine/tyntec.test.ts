import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation/index.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { readWebhooks, writeWebhooks } from "../../tyntec/api/application.ts";
import { callbacks, type Webhook } from "../../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { startProxy } from "../connect-proxy.ts";
import { type LoopbackTyntec, startTyntec } from "../tyntec-stand-in.ts";

const checkout = new URL("../../", import.meta.url).pathname;
const portal = "https://portal.acme.example";
const crm: Webhook = {
  events: ["MoMessage", "MessageStatus::unknown"],
  callbackUrl: "https://crm.example/hook?token=s3cret",
};

describe("TynTecWebhooks in the engine", { timeout: minutes }, () => {
  let tyntec: LoopbackTyntec;
  let stack: Stack;
  /** The value of the stack file as it was set last: setting it takes as long as half a run. */
  let configured: string;

  beforeAll(async () => {
    tyntec = await startTyntec();
    stack = await emptyStack(join(tyntec.directory, "stack"));
    await stack.setConfig("jtel-chat:apiKey", { value: tyntec.apiKey, secret: true });
  });

  afterAll(async () => {
    await tyntec.stop();
  });

  beforeEach(async () => {
    await tyntec.reset({ webhooks: [crm] });
    await stack.importStack({ version: 3, deployment: {} });
  });

  afterEach(async () => {
    const secrets = new RegExp(`${tyntec.apiKey}|s3cret`);
    expect(await everyFile(join(tyntec.directory, "stack", "backend"))).not.toMatch(secrets);
    stack.workspace.envVars.JTEL_CHAT_OBSERVE = "";
  });

  /** Runs `pulumi preview --diff`, `up` or `destroy` with these values in the stack file. */
  const run = async (command: "preview" | "up" | "destroy", options: object = {}) => {
    const { url, caFile, apiKey } = tyntec;
    const value = JSON.stringify({ url, caFile, portal, ...options });
    if (value !== configured) await stack.setConfig("jtel-chat:tyntec", { value });
    configured = value;
    const { length } = await tyntec.requests();
    const result = await observed((onEvent, onOutput) =>
      stack[command]({ onEvent, onOutput, onError: onOutput, diff: true }),
    );
    expect(result.text).not.toMatch(new RegExp(`${apiKey}|s3cret`));
    const requests = (await tyntec.requests()).slice(length).map(({ method }) => method);
    return { ...result, requests };
  };

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

/** Makes a stack of `test/engine/tyntec` in a folder of its own, with the checkout's programs that it runs. */
const emptyStack = async (directory: string): Promise<Stack> => {
  await mkdir(join(directory, "backend"), { recursive: true });
  await symlink(join(checkout, "test/engine/tyntec/index.ts"), join(directory, "index.ts"));
  for (const name of ["tyntec", "node_modules", "package.json"]) await symlink(checkout + name, join(directory, name));
  const project = {
    name: "jtel-chat",
    main: "index.ts",
    runtime: { name: "nodejs", options: { typescript: false } },
    backend: { url: `file://${directory}/backend` },
  };
  await writeFile(join(directory, "Pulumi.yaml"), JSON.stringify(project));
  const stack = await LocalWorkspace.createStack(
    { stackName: "test", workDir: directory },
    { envVars: { PULUMI_CONFIG_PASSPHRASE: "throw-away" } },
  );
  // Asked for after each run, by three more starts of the CLI; nobody needs them here.
  return Object.assign(stack, { outputs: async () => ({}), info: async () => undefined });
};

interface Run {
  /** Steps on commands, in their order, without those that changed nothing: `create host`. */
  steps: string[];
  /** All that a person saw. */
  text: string;
  failed: boolean;
}

/** Runs the engine and collects what it does; a failed run is a result, not an exception. */
const observed = async (
  run: (onEvent: (event: EngineEvent) => void, onOutput: (text: string) => void) => Promise<unknown>,
): Promise<Run> => {
  const steps: string[] = [];
  let text = "";
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const step = resourcePreEvent?.metadata;
    if (step?.type.startsWith("command:") && step.op !== "same")
      steps.push(`${step.op} ${step.urn.split("::").at(-1)}`);
  };
  const onOutput = (part: string) => {
    text += part;
  };
  const error = await run(onEvent, onOutput).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { steps, text: text + (error?.message ?? ""), failed: error !== undefined };
};

const everyFile = async (directory: string): Promise<string> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
};
