import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Look } from "../../hosts/look/look.ts";
import { callbacksDocument, documentText } from "../../tyntec/document.ts";
import { lookAtCallbacks, type SeenCallbacks } from "../../tyntec/look-at-callbacks.ts";
import { tyntecOfTests } from "../tyntec-stand-in.ts";

const portal = "https://portal.acme.example";
const tyntec = tyntecOfTests();
/** What the state has of the resource. */
let outputs: object;

beforeEach(async () => {
  outputs = {};
  for (const name of ["getOrganization", "getProject", "getStack"] as const)
    vi.spyOn(pulumi, name).mockReturnValue("trial");
  vi.spyOn(pulumi.runtime, "invoke").mockImplementation(async () => ({ outputs }));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const document = () =>
  callbacksDocument({ url: tyntec.url3, apiVersion: "v3", caFile: tyntec.caFile, portal, takeOver: true });

const seen = async (): Promise<SeenCallbacks | undefined> => {
  const look = new Look();
  const found = lookAtCallbacks(look, document(), { apiKey: tyntec.apiKey });
  found.catch(() => {});
  await look.close();
  return found;
};

test("a key that may not write is named before anything is written, unless there is nothing to write", async () => {
  await tyntec.reset({ scopes: ["callbacks:read", "channels:read"] });
  await expect(seen()).rejects.toThrow(/nothing was changed:\nTynTec: .* lacks the scope callbacks:write/);
  const { callback } = document() as { callback: Record<string, string> };
  await tyntec.reset({ scopes: ["callbacks:read", "channels:read"], callback });
  expect(await seen()).toMatchObject({ astray: [], reasons: [], overrides: [] });
});

test("a preview does not ask a server that the state does not know, and an up does", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const dryRun = vi.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(true);
  const before = documentText({ ...document(), url: "https://api.tyntec.com/conversations/v3" });
  outputs = {
    "urn::tyntec-callbacks": { type: "command:local:Command", outputs: { create: "apply", stdin: before, stdout: "" } },
  };
  const { length } = await tyntec.requests();
  const way = expect.stringMatching(/^tyntec\.url leads to https:\/\/127.*, and was https:\/\/api\.tyntec\.com$/);
  expect(await seen()).toMatchObject({ astray: [], reasons: [way] });
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^TynTec was not asked, .*Not approvable: not seen$/));
  expect(await tyntec.requests()).toHaveLength(length);
  dryRun.mockReturnValue(false);
  expect(await seen()).toMatchObject({ reasons: [way, "inboundMessageUrl, messageStatusUrl go nowhere"] });
  expect((await tyntec.requests()).length).toBeGreaterThan(length);
});
