import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import { recordedCallbacks } from "../../tyntec/recorded.ts";

beforeEach(() => {
  for (const name of ["getOrganization", "getProject", "getStack"] as const)
    vi.spyOn(pulumi, name).mockReturnValue("trial");
});

test("a state that is read while the engine writes it is read again", async () => {
  const invoke = vi
    .spyOn(pulumi.runtime, "invoke")
    .mockRejectedValueOnce(new Error("failed to load checkpoint: EOF"))
    .mockResolvedValueOnce({ outputs: {} });
  expect(await recordedCallbacks()).toEqual([]);
  expect(invoke).toHaveBeenCalledTimes(2);
});

test("an engine that does not tell what the state holds is an error that says so", async () => {
  vi.spyOn(pulumi.runtime, "invoke").mockRejectedValueOnce(new Error("unknown function"));
  await expect(recordedCallbacks()).rejects.toThrow(
    /^TynTec: which events are this stack's own is not known: .*unknown function/,
  );
});

test("both versions are found, and the proxy that was noted; an earlier version has noted none", async () => {
  const urn = (name: string) => `urn:pulumi:acme::jtel-chat::jtel:chat:TynTecWebhooks$command:local:Command::${name}`;
  const resource = (document: object, stdout: string) => ({
    type: "command:local:Command",
    outputs: { create: "node tyntec/webhooks.ts apply", stdin: JSON.stringify(document), stdout },
  });
  const v2 = { url: "https://api.tyntec.com/chat-api/v2", webhooks: [] };
  const v3 = { url: "https://api.tyntec.com/conversations/v3", callback: {} };
  const claim = { api: v3.url, ours: {}, before: {}, proxy: "proxy.acme.example:3128" };
  vi.spyOn(pulumi.runtime, "invoke").mockResolvedValueOnce({
    outputs: {
      [urn("tyntec-webhooks")]: resource(v2, "TynTec: MoMessage: none → https://portal.acme.example/incoming"),
      [urn("tyntec-callbacks")]: resource(v3, `a line\nclaim: ${JSON.stringify(claim)}`),
      [urn("lb1-tool")]: { type: "command:remote:Command", outputs: {} },
    },
  });
  expect(await recordedCallbacks()).toEqual([
    { create: "node tyntec/webhooks.ts apply", document: v2, proxy: undefined },
    { create: "node tyntec/webhooks.ts apply", document: v3, proxy: claim.proxy },
  ]);
});
