import { afterEach, describe, expect, test } from "vitest";
import { apply, begin, configuration, lb1, observe, run } from "./customer.ts";

/** A host whose HAProxy somebody else starts. */
export const staysOff = (): void => {
  describe("that is off and disabled", () => {
    const isActive = async () => (await lb1().exec("systemctl is-active haproxy")).stdout.trim();

    afterEach(() => run("systemctl enable --quiet --now haproxy"));

    test("is written and checked, never started, and a failover is no drift", async () => {
      await run("systemctl disable --quiet --now haproxy");
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("warning: HAProxy is off on this host and disabled, which is somebody's decision");
      expect(await isActive()).toBe("inactive");
      expect(await configuration()).toContain(begin);
      expect(await observe()).toMatchObject({ drifted: false, problems: [] });
      await run("systemctl start haproxy");
      expect(await observe()).toMatchObject({ drifted: false, problems: [], warnings: [] });
      expect((await apply()).stdout).toBe("a WebSocket opens through :3003");
      await run("systemctl stop haproxy");
      expect((await observe()).drifted).toBe(false);
      await run("jtel-chatctl undo haproxy");
      expect(await configuration()).not.toContain(begin);
      expect(await isActive()).toBe("inactive");
    });

    test("is started where it is only off", async () => {
      await run("systemctl stop haproxy");
      expect((await apply()).exitCode).toBe(0);
      expect(await isActive()).toBe("active");
    });
  });
};
