import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { bootable } from "../bootable.ts";
import { debianHaproxy, suites } from "./haproxy.ts";

const runnable = await bootable("what real HAProxys make of the drain's agent");

describe.skipIf(!runnable)("the agent that says whether a server drains", () => {
  test.concurrent.each(suites)(
    "drains a server and gives it back, a dead one stays down and a person's maintenance stays, with HAProxy of %s",
    async (suite) => {
      const { root } = await debianHaproxy(suite);
      const command = `ip link set lo up && exec python3 ${join(import.meta.dirname, "agent.py")} ${root}`;
      const { stdout } = await execa("unshare", ["--net", "sh", "-c", command]);
      const usual = { live: "UP", dead: "DOWN", maint: "MAINT" };
      expect(JSON.parse(stdout)).toEqual({
        before: usual,
        drained: { ...usual, live: "DRAIN" },
        ended: usual,
        later: usual,
        heard: [],
        "without an agent": usual,
      });
    },
    2 * minutes,
  );
});
