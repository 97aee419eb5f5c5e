import { expect, test } from "vitest";
import { Rollout } from "../../components/rollout.ts";
import type { Step } from "../../hosts/host.ts";

const step = (concern: string, active?: boolean) => ({ concern, active: async () => active }) as Step;

test("where chat runs, a step waits until the servers let each other in and the one before it is healthy", async () => {
  const rollout = new Rollout([step("firewall")]);
  rollout.register(
    [step("messenger", true), step("messenger", false), step("messenger")],
    [step("1"), step("2"), step("3")],
  );
  const waits = async (index: number) => (await rollout.before(index)).map(({ concern }) => concern);
  expect(await waits(0)).toEqual(["firewall"]);
  expect(await waits(1), "nothing runs there that could be lost").toEqual([]);
  expect(await waits(2), "of a host that was not seen nobody knows").toEqual(["firewall", "2"]);
});
