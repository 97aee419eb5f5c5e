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
  expect(await recordedCallbacks("v2")).toBeUndefined();
  expect(invoke).toHaveBeenCalledTimes(2);
});

test("an engine that does not tell what the state holds is an error that says so", async () => {
  vi.spyOn(pulumi.runtime, "invoke").mockRejectedValueOnce(new Error("unknown function"));
  await expect(recordedCallbacks("v2")).rejects.toThrow(
    /^TynTec: which events are this stack's own is not known: .*unknown function/,
  );
});
