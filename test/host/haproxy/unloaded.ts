import { describe, expect, test } from "vitest";
import { apply, certificate, configuration, file, observe, portal, portalLine, reload, run, undo } from "./customer.ts";

/** What is on disk and not loaded is somebody's unfinished work. */
export const leavesEditsUnloaded = (): void => {
  describe("with an edit that nobody has loaded", () => {
    const rule = "http-request return status 503 unless { req.hdr(x-key) s3cret }";
    const edit = `sed -i '/^${portalLine}/a\\\\t${rule}' ${file}`;
    const named =
      /haproxy\.cfg was changed at .* has not loaded that \(line \d+ 'http-request return status 503 unless …'\)/;

    test("is not reloaded, also for a renewed certificate, and the portal goes on", async () => {
      await apply();
      await run(edit);
      expect(await observe()).toMatchObject({ problems: [], warnings: [expect.stringMatching(named)] });
      await certificate(90);
      expect((await observe()).problems).toEqual([expect.stringMatching(named)]);
      const { exitCode, stderr } = await apply();
      expect(stderr).toMatch(named);
      expect(stderr).not.toContain("s3cret");
      expect(exitCode).toBe(3);
      expect(await portal()).toBe(302);
    });

    test("is reloaded again once it is taken back, or loaded by whom it belongs to", async () => {
      await apply();
      const before = await configuration();
      await run(edit);
      await certificate(90);
      await run(`grep -v 's3cret' ${file} > /tmp/without; cat /tmp/without > ${file}`);
      expect(await configuration()).toBe(before);
      expect((await apply()).exitCode).toBe(0);
      await run(`sed -i 's/maxconn 4096/maxconn 4000/' ${file}`);
      await certificate(90);
      expect((await apply()).exitCode).toBe(3);
      await run(reload);
      expect((await observe()).problems).toEqual([]);
    });

    test("is refused before its first blocks, too, and not undone with it", async () => {
      await run(edit);
      expect((await observe()).problems).toEqual([
        expect.stringContaining("HAProxy has not loaded that. The next reload"),
      ]);
      await run(`cp -a /root/haproxy.cfg ${file}`);
      await apply();
      await run(edit);
      const { exitCode, stderr } = await undo();
      expect(stderr).toMatch(named);
      expect(exitCode).not.toBe(0);
      expect(await portal()).toBe(302);
    });

    test("that was one of our blocks is healed, also on a host of an earlier version, which has no copy", async () => {
      await apply();
      await run(`rm -r /var/lib/jtel-chat/haproxy; sed -i 's/balance leastconn/balance first/' ${file}`);
      const { problems, drifted } = await observe();
      expect({ problems, drifted }).toEqual({ problems: [], drifted: true });
      expect((await apply()).exitCode).toBe(0);
      await run("test -s /var/lib/jtel-chat/haproxy/loaded.json");
    });
  });
};
