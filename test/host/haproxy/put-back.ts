import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { until } from "../../../lab/deadline.ts";
import {
  apply,
  type Change,
  cannotBind,
  configuration,
  file,
  lab,
  lb1,
  portal,
  portalLine,
  reload,
  reloads,
  run,
  startChat,
  stopChat,
  unseen,
} from "./customer.ts";

/** What an apply takes back that has gone wrong. */
export const isPutBack = (): void => {
  describe("is put back as it was", () => {
    const runsAgain = "HAProxy runs /etc/haproxy/haproxy.cfg again as it was.";
    const wentOn = "HAProxy has gone on with what it had loaded before.";

    const failing = async (problem: RegExp, afterwards: string, change?: Change): Promise<void> => {
      const config = await configuration();
      const { exitCode, stderr } = await apply(change);
      expect(stderr).toMatch(problem);
      expect(stderr.split("\n").slice(-2)).toEqual([afterwards, "What this run had changed was put back."]);
      expect(exitCode).toBe(1);
      expect(await configuration()).toBe(config);
      // A main process that had ended may be about to be started once more.
      expect([302, 403]).toContain(await until("the portal", 10, portal));
    };

    test("when the new worker cannot bind, with HAProxy's own words, and no reload more than that one", async () => {
      await run(cannotBind);
      const before = await reloads();
      await failing(/HAProxy does not run the new configuration: .*\/nowhere\/socket/s, wentOn);
      expect(await reloads()).toBe(before + 1);
    });

    test("when the main process ends, which is started again on the old file", async () => {
      const dropIn = "/etc/systemd/system/haproxy.service.d/gone.conf";
      // Its root directory is there when it starts, and gone when it reloads: no checker sees that beforehand.
      await run(`mkdir -p $(dirname ${dropIn}); cat > ${dropIn} <<'END'
[Service]
ExecStartPre=/bin/mkdir -p /var/lib/gone
ExecReload=
ExecReload=/bin/rmdir /var/lib/gone
ExecReload=/bin/kill -USR2 $MAINPID
END
        sed -i 's#chroot .*#chroot /var/lib/gone#' ${file}; systemctl daemon-reload; systemctl restart haproxy`);
      try {
        await failing(/HAProxy does not run the new configuration: its main process has ended/, runsAgain);
      } finally {
        await run(`rm ${dropIn}; systemctl daemon-reload`);
      }
    });

    test("when a rule takes WhatsApp's calls", async () => {
      await run(
        `sed -i '/^${portalLine}/a\\\\thttp-request deny if { path /delivery } { method POST }' ${file}; ${reload}`,
      );
      await failing(
        /POST \/delivery on :443 is answered with 403, and backend_chat_ws has not seen it: another rule of 'acdportal_https' wins, perhaps line \d+ 'http-request deny if/,
        runsAgain,
      );
    });

    test("when the portal answers otherwise than before", async () => {
      await run(`sed -i '/^${portalLine}/a\\\\thttp-request deny if { path / }' ${file}; ${unseen}`);
      await failing(
        /'frontend acdportal_https' answers 403 for \/ on :443 since the reload, and answered 302 before/,
        runsAgain,
      );
    });

    test("when the run is killed, and HAProxy runs it", async () => {
      const config = await configuration();
      const silent = createServer();
      await stopChat();
      silent.listen(3000, lab().controllerAddress);
      const ended = apply();
      const listens = async () => (await lb1().exec("ss -Hltn 'sport = 3003'")).stdout !== "";
      await until("chat's port", 20, async () => (await listens()) || undefined);
      await run("systemctl kill --signal=KILL 'jtel-chat-haproxy-*'");
      const killed = await ended;
      silent.close();
      startChat();
      expect(killed.exitCode).not.toBe(0);
      expect(killed.stdout).toContain(runsAgain);
      expect(await run("jtel-chatctl log")).toMatch(
        /recover an interrupted run by .*: done\n.*put back what an interrupted run of haproxy had begun/,
      );
      expect(await configuration()).toBe(config);
      expect(await listens()).toBe(false);
    });
  });
};
