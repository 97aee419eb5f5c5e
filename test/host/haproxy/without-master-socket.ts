import { beforeEach, describe, expect, test } from "vitest";
import { apply, begin, cannotBind, configuration, file, observe, run } from "./customer.ts";

/** HAProxy that cannot be asked how a reload went. */
export const worksWithoutMasterSocket = (): void => {
  describe("without its master socket", () => {
    beforeEach(async () => {
      await run("echo 'EXTRAOPTS=\"-q\"' >> /etc/default/haproxy; systemctl restart haproxy");
    });

    test("is configured all the same, and warns", async () => {
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3003");
      expect(stdout).toContain("warning: HAProxy runs without its master socket");
      expect(await observe()).toMatchObject({ drifted: false, warnings: [expect.stringContaining("EXTRAOPTS")] });
    });

    test("shows a reload that fails by its processes", async () => {
      await run(cannotBind);
      const { exitCode, stderr } = await apply();
      expect(stderr).toMatch(/HAProxy does not run the new configuration/);
      expect(stderr).toMatch(/HAProxy goes on with what it had loaded before: \S+ does not load as it was either/);
      expect(exitCode).toBe(1);
      expect(await configuration()).not.toContain(begin);
    });

    test("and without a stats socket, is proven by requests alone", async () => {
      await run(`sed -i '/stats socket/d' ${file}; systemctl restart haproxy`);
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("/incoming and /delivery on :443 reach backend_chat_ws");
      expect(await observe()).toMatchObject({ drifted: false });
    });
  });
};
