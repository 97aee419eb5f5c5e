import { execa } from "execa";
import { beforeEach, describe, expect, test } from "vitest";
import { schema } from "../../config/schema.ts";
import { tyntecUrl, tyntecUrlProblem } from "../../config/tyntec-url.ts";
import { readWebhooks } from "../../tyntec/api/application.ts";
import { callbacks, destinationsOf, type Webhook, webhooksFor } from "../../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { unsettled } from "../../tyntec/model/destinations.ts";
import { whereabouts } from "../../tyntec/model/whereabouts.ts";
import { runProgram } from "../tyntec-program.ts";
import { tyntecOfTests } from "../tyntec-stand-in.ts";

const portal = "https://portal.acme.example";
const wanted = chatWebhooks(portal);
const crm: Webhook = { events: ["MoMessage", "MessageStatus::unknown"], callbackUrl: "https://crm.example/hook" };

describe("webhooks", () => {
  test("are the vendor's two, with the group's events unless they are left out", () => {
    expect(wanted.map(({ callbackUrl }) => callbackUrl)).toEqual([`${portal}/incoming`, `${portal}/delivery`]);
    expect(callbacks(wanted).size).toBe(11);
    expect([...callbacks(chatWebhooks(portal, { groupEvents: false })).keys()].join()).not.toContain("Group");
  });

  test("compare as event → URL: grouping and order mean nothing", () => {
    const each = [...callbacks(wanted)].reverse().map(([event, callbackUrl]) => ({ events: [event], callbackUrl }));
    expect(unsettled(destinationsOf(each), callbacks(wanted))).toEqual([]);
  });

  test("are written by URL, without events that go nowhere", () => {
    const targets = new Map([...callbacks(wanted), ["MoMessage", undefined] as const]);
    expect(webhooksFor(targets)).toEqual([wanted[1]]);
  });

  test("differ where the default webhook gets an event, and say so", () => {
    const present = destinationsOf([{ events: [], callbackUrl: crm.callbackUrl }]);
    expect(whereabouts(unsettled(present, new Map([["MoMessage", "https://portal.acme.example/"]])))).toEqual([
      "MoMessage goes to https://crm.example/hook (the default webhook)",
    ]);
    expect(unsettled(present, new Map([["MoMessage", crm.callbackUrl]]))).toEqual([]);
  });

  test("are shown without what may be somebody's password", () => {
    const lines = (url: string) => whereabouts([{ event: "MoMessage", now: url, wanted: undefined }]);
    expect(lines("https://me:pw@crm.example/hook?token=x#y")).toEqual(["MoMessage goes to https://crm.example/hook?…"]);
    expect(lines("hunter2")).toEqual(["MoMessage goes to something that is no URL"]);
  });
});

describe("the stack file", () => {
  const problems = (tyntec: object): string[] =>
    schema.shape.tyntec.safeParse({ apiKey: "k", ...tyntec }).error?.issues.map(({ message }) => message) ?? [];

  test("takes nothing over and asks for all events, unless told otherwise", () => {
    expect(schema.shape.tyntec.parse({ apiKey: "k" })).toMatchObject({ takeOver: false, groupEvents: true });
  });

  test("holds a key that fits into a header, and a base URL", () => {
    expect(problems({ apiKey: "key\n" })).toEqual([expect.stringMatching(/^holds a blank, a line break/)]);
    expect(problems({ url: "https://api.tyntec.com/chat-api/v2/" })).toEqual([
      expect.stringMatching(/^ends with a slash/),
    ]);
    expect(problems({ url: "http://api.tyntec.com/chat-api/v2" })).toEqual([expect.stringMatching(/^is no https URL/)]);
  });

  test("names the API's version, whose URL is the provider's unless another is set", () => {
    const parsed = (tyntec: object) => schema.shape.tyntec.unwrap().parse({ apiKey: "k", ...tyntec });
    expect(tyntecUrl(parsed({}))).toBe("https://api.tyntec.com/chat-api/v2");
    expect(tyntecUrl(parsed({ apiVersion: "v3" }))).toBe("https://api.tyntec.com/conversations/v3");
    expect(tyntecUrl(parsed({ apiVersion: "v3", url: "https://gate.example/t" }))).toBe("https://gate.example/t");
    expect(problems({ apiVersion: "v4" })).toEqual([expect.stringMatching(/^is no version .*Known: v2, v3$/)]);
  });

  test("refuses the URL of another version", () => {
    const problem = (url: string) => tyntecUrlProblem({ ...schema.shape.tyntec.unwrap().parse({ apiKey: "k", url }) });
    expect(problem("https://gate.example/conversations/v3")).toMatch(
      /^"https:\/\/gate\.example\/conversations\/v3" is version 3 of the API, but tyntec\.apiVersion is v2\. Remove/,
    );
    expect(problem("https://gate.example/chat-api/v2")).toBeUndefined();
  });
});

describe("the program that Pulumi runs", () => {
  const tyntec = tyntecOfTests();

  interface Options {
    portal?: string;
    groupEvents?: boolean;
    takeOver?: true;
    /** Standard output of the run before. */
    previous?: string;
  }

  const run = (action: "apply" | "undo", { portal: name = portal, previous, takeOver, ...options }: Options = {}) => {
    const { url, caFile } = tyntec;
    const document = { url, caFile, ...(takeOver && { takeOver }), webhooks: chatWebhooks(name, options) };
    return runProgram(tyntec, action, document, previous);
  };

  const present = async () => Object.fromEntries(callbacks(await readWebhooks(tyntec)));
  const write = (...webhooks: Webhook[]) => tyntec.reset({ webhooks });
  const ours = Object.fromEntries(callbacks(wanted));
  const lab = { "MessageStatus::unknown": "https://crm.lab.example/tyntec" };

  test("writes what is missing and reads it back; a second time it only looks", async () => {
    const first = await run("apply");
    expect(first).toMatchObject({ failed: false, methods: ["GET", "PATCH", "GET"] });
    expect(first.stderr).toContain(`TynTec: MoMessage goes to ${portal}/incoming now`);
    expect(await present()).toEqual({ ...lab, ...ours });
    const second = await run("apply", { previous: first.stdout });
    expect(second).toMatchObject({ failed: false, methods: ["GET"], stdout: first.stdout });
  });

  describe("leaves to another system what it gets", () => {
    test("unless it was asked to take it over, and says so", async () => {
      await write({ ...crm, callbackUrl: "https://crm.example/hook?token=s3cret" });
      const { failed, stderr, methods } = await run("apply");
      expect({ failed, methods }).toEqual({ failed: true, methods: ["GET"] });
      expect(stderr).toMatch(
        /^TynTec: MoMessage goes to https:\/\/crm\.example\/hook\?…: another system .*set tyntec\.takeOver: true/,
      );
      expect(stderr).not.toContain("s3cret");
    });

    test("and gives it back after it was taken over", async () => {
      await write(crm);
      const { stdout: previous } = await run("apply", { takeOver: true });
      expect(await present()).toEqual({ ...ours, "MessageStatus::unknown": crm.callbackUrl });
      expect(await run("undo", { previous })).toMatchObject({ failed: false, methods: ["GET", "PATCH", "GET"] });
      expect(await present()).toEqual({ ...ours, ...Object.fromEntries(callbacks([crm])) });
    });

    test("also when its events were never ours, though others are", async () => {
      const { stdout: previous } = await run("apply", { groupEvents: false });
      const group = { events: ["WhatsAppGroupEvent::userLeft"], callbackUrl: crm.callbackUrl };
      await write(...chatWebhooks(portal, { groupEvents: false }), group);
      const { stderr } = await run("apply", { previous });
      expect(stderr).toMatch(
        /^TynTec: WhatsAppGroupEvent::userLeft goes to https:\/\/crm\.example\/hook: another system/,
      );
    });

    test("also in an account that is not the one before", async () => {
      const { stdout } = await run("apply");
      await write(crm);
      const previous = stdout.replace(tyntec.url, "https://api.tyntec.com/chat-api/v2");
      expect((await run("apply", { previous })).stderr).toContain("set tyntec.takeOver: true");
      const taken = await run("apply", { previous, takeOver: true });
      await run("undo", { previous: taken.stdout });
      expect(await present()).toEqual({ ...ours, ...Object.fromEntries(callbacks([crm])) });
    });
  });

  describe("knows its own", () => {
    let previous: string;
    beforeEach(async () => {
      await write(crm);
      previous = (await run("apply", { takeOver: true })).stdout;
    });

    test("when somebody has moved them, and still gives back what was there first", async () => {
      await write({ events: Object.keys(ours), callbackUrl: "https://new.example/" });
      const healed = await run("apply", { previous });
      expect(await present()).toEqual(ours);
      await run("undo", { previous: healed.stdout });
      expect(await present()).toEqual({ ...ours, MoMessage: crm.callbackUrl });
    });

    test("under the portal's new name", async () => {
      const renamed = await run("apply", { previous, portal: "https://new.acme.example" });
      expect(renamed.failed).toBe(false);
      expect(await present()).toMatchObject({ MoMessage: "https://new.acme.example/incoming" });
      await run("undo", { previous: renamed.stdout, portal: "https://new.acme.example" });
      expect(await present()).toMatchObject(Object.fromEntries(callbacks([crm])));
    });

    test("and gives back those that are no longer wanted", async () => {
      const group = { events: ["WhatsAppGroupEvent::userLeft"], callbackUrl: crm.callbackUrl };
      await write(group);
      const taken = await run("apply", { takeOver: true });
      const { stdout } = await run("apply", { previous: taken.stdout, groupEvents: false });
      expect(await present()).toMatchObject({ [group.events[0] as string]: crm.callbackUrl });
      expect(stdout).not.toContain("Group");
    });

    test("and leaves, when it is undone, what somebody has moved since", async () => {
      await write(...wanted.slice(1), { events: ["MoMessage"], callbackUrl: "https://new.example/" });
      await run("undo", { previous });
      expect(await present()).toMatchObject({ MoMessage: "https://new.example/" });
    });

    test("as far as it can after the state was lost: they are nobody else's to give back", async () => {
      const adopted = await run("apply");
      expect(adopted).toMatchObject({ failed: false, methods: ["GET"] });
      expect(await run("undo", { previous: adopted.stdout })).toMatchObject({ failed: false, methods: ["GET"] });
      expect(await present()).toEqual({ ...ours, "MessageStatus::unknown": crm.callbackUrl });
    });
  });

  describe("asks before it overrides a default webhook", () => {
    const fallback = { events: [], callbackUrl: "https://all.example/hook" };
    beforeEach(() => write(fallback));

    test("which gets every event that no other webhook names", async () => {
      const { failed, stderr, methods } = await run("apply");
      expect({ failed, methods }).toEqual({ failed: true, methods: ["GET"] });
      expect(stderr).toMatch(
        /^TynTec: MoMessage, .* go to https:\/\/all\.example\/hook \(the default webhook\): another system/,
      );
    });

    test("leaves it its other events, and sends ours back to it", async () => {
      const { stdout: previous } = await run("apply", { takeOver: true });
      expect(await readWebhooks(tyntec)).toContainEqual(fallback);
      expect(await present()).toEqual(ours);
      const undone = await run("undo", { previous });
      expect(undone).toMatchObject({ failed: false, methods: ["GET", "PATCH", "GET"] });
      expect(undone.stderr).not.toContain("still");
      expect(new Set(Object.values(await present()))).toEqual(new Set([fallback.callbackUrl]));
      expect(await readWebhooks(tyntec)).toContainEqual(fallback);
    });
  });

  test("ends its undo where events went nowhere before, and says that they stay", async () => {
    const { stdout: previous } = await run("apply");
    const { failed, stderr, methods } = await run("undo", { previous });
    expect({ failed, methods }).toEqual({ failed: false, methods: ["GET"] });
    expect(stderr).toMatch(
      /^TynTec: MoMessage goes to https:\/\/portal\.acme\.example\/incoming still: .*cannot unset/,
    );
    expect(await present()).toEqual({ ...lab, ...ours });
  });

  test("undoes without writing where nothing of it is left", async () => {
    expect(await run("undo")).toMatchObject({ failed: false, methods: ["GET"] });
  });

  describe("says what stands there", () => {
    test("when the API has refused: nothing was changed", async () => {
      await tyntec.fail({ refuseEvents: "WhatsAppGroupEvent::" });
      const { failed, stderr, stdout } = await run("apply");
      expect({ failed, stdout }).toEqual({ failed: true, stdout: "" });
      expect(stderr).toMatch(/set tyntec\.groupEvents: false\nNothing was changed there$/);
      expect(await present()).toEqual(lab);
    });

    test("when the error came after the change: it is done", async () => {
      await tyntec.fail({ method: "PATCH", late: true, status: 400, count: 1 });
      const { failed, stdout } = await run("apply");
      expect(failed).toBe(false);
      expect(stdout).toContain("claim: ");
    });

    test("when it cannot be read back: the note of what was there is kept", async () => {
      await write(crm);
      await tyntec.fail({ skip: 2, status: 403 });
      const { failed, stderr, stdout } = await run("apply", { takeOver: true });
      expect(failed).toBe(false);
      expect(stderr).toMatch(/were accepted, but cannot be read back\. TynTec: GET .*refused \(403/);
      expect(stdout).toContain(`"before":{"MoMessage":"${crm.callbackUrl}"}`);
    });

    test("when neither writing nor reading back worked: that is not known", async () => {
      await tyntec.fail({ skip: 1, status: 403 });
      const { failed, stderr } = await run("apply");
      expect(failed).toBe(true);
      expect(stderr).toMatch(/^TynTec: PATCH .*\nWhat stands there now is not known\. TynTec: GET /);
    });

    test("when the API accepts and does not do it", async () => {
      await tyntec.fail({ method: "PATCH", status: 204, body: "" });
      const { failed, stderr } = await run("apply", { groupEvents: false });
      expect(failed).toBe(true);
      expect(stderr).toMatch(/accepted the webhooks, but does not have them: MoMessage, .* go nowhere\. Look/);
    });

    test("when undoing fails: and how to go on without it", async () => {
      const { stdout: previous } = await run("apply");
      await tyntec.fail({ status: 401 });
      const { failed, stderr } = await run("undo", { previous });
      expect(failed).toBe(true);
      expect(stderr).toMatch(/the API key is refused.*\nTo leave the webhooks as they are: pulumi state delete/);
    });
  });

  test("shows its key to nobody who looks at processes", async () => {
    await tyntec.fail({ delay: 1_000, count: 1 });
    const running = run("apply");
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { stdout } = await execa("ps", ["axww", "-o", "args"]);
    expect(stdout).toContain("tyntec/webhooks.ts apply");
    expect(stdout).not.toContain(tyntec.apiKey);
    await running;
  });
});
