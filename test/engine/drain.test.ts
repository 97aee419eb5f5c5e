import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { askHaproxy, serverStates } from "../../lab/clients/haproxy.ts";
import { load, lost, openSession, type Session } from "../../lab/clients/load.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { type Change, engineLab, runnable } from "./engine-lab.ts";

/** Seconds, as short as a session that comes and goes lets them be. */
const [deadline, idle] = [10, 4];
const servers = ["chatserver1", "chatserver2"] as const;

describe.skipIf(!runnable)("chat servers that drain before they are restarted", () => {
  const { lab, host, said, up, applied, noop, preview } = engineLab("drain");
  const open = new Set<WebSocket>();

  /** The dev stack with a drain; a limit of the unit more or less is a change that restarts. */
  const draining =
    (atDeadline: "stop" | "cut", limits: string[]): Change =>
    (config) => {
      config.clientMessenger = {
        unit: { limits },
        drain: { deadline: `${deadline}s`, idle: `${idle}s`, atDeadline },
      };
    };

  /** A visitor, and the server that he is on. */
  const visitor = async (): Promise<Session> => {
    const session = await openSession(lab(), "visitor");
    open.add(session.socket);
    void session.closed.then(() => open.delete(session.socket));
    return session;
  };

  const states = () => serverStates(host("lb1"));

  const bothUp = () =>
    until("both servers are up", 20, async () => {
      const { chatserver1, chatserver2 } = await states();
      return chatserver1 === "UP" && chatserver2 === "UP" ? true : undefined;
    });

  /** When each server was started last, which a restart changes. */
  const starts = () =>
    Promise.all(servers.map((each) => said(each, "systemctl show --value -p InvocationID jtel-clientmessenger")));

  beforeAll(async () => {
    await applied(draining("stop", []));
  }, 5 * minutes);

  afterEach(() => {
    for (const socket of open) socket.terminate();
  });

  test("a second up changes nothing, and the load balancer asks", async () => {
    await noop(draining("stop", []));
    await bothUp();
    for (const server of servers)
      expect(await said(server, "cat /run/jtel-chat-drain/asked")).toContain(host("lb1").address);
    expect(await said("chatserver1", "systemctl is-enabled jtel-chat-drain.socket; jtel-chatctl check")).toBe(
      "enabled\neverything is as it was applied",
    );
  });

  test(
    "with visitors who stay, stop writes nothing, cuts nobody and lets new ones in again",
    async () => {
      const stays = await Promise.all([visitor(), visitor(), visitor(), visitor()]);
      expect(new Set(stays.map(({ server }) => server)).size).toBe(2);
      const before = await starts();
      const change = draining("stop", ["tmp"]);
      const shown = await preview(change);
      expect(shown.output).toMatch(
        /a restart is due: \d sessions are open; a restart waits for them 10 s at most, all 2 servers 20 s/,
      );
      const rotated = await preview((config) => {
        draining("stop", [])(config);
        config.database = { ...(config.database as object), parameters: { useSSL: "false" } };
      });
      expect(rotated.output).toMatch(/a restart is due: \d sessions are open/);
      const { exitCode, output } = await up(change);
      expect(exitCode).not.toBe(0);
      expect(output).toMatch(/chatserver1: not drained: \d sessions are left/);
      expect(output).toContain("exited with status 4");
      expect(await said("chatserver1", "grep PrivateTmp /etc/systemd/system/jtel-clientmessenger.service")).toBe("");
      expect(await starts()).toEqual(before);
      expect(open.size).toBe(4);
      await bothUp();
    },
    2 * minutes,
  );

  test(
    "cut waits until the deadline, cuts who is left then, and who comes and goes meanwhile sees nothing of it",
    async () => {
      const stays = await Promise.all([visitor(), visitor(), visitor(), visitor()]);
      const begun = Date.now();
      const lasted = stays.map(({ closed }) => closed.then(() => (Date.now() - begun) / 1000));
      const crowd = load(lab(), { visitors: 30, stays: [1, 4] });
      expect(await applied(draining("cut", ["tmp"]))).toMatch(/chatserver2-messenger-running updated/);
      const seen = await crowd.end();
      expect(seen).toMatchObject({ failed: [], cut: [] });
      expect(seen.acknowledged.size).toBeGreaterThan(100);
      expect(await lost(lab(), seen)).toEqual([]);
      for (const each of await Promise.all(lasted)) expect(each).toBeGreaterThan(deadline);
    },
    3 * minutes,
  );

  test(
    "what a person has put into maintenance stays so, and the only other server is not drained",
    async () => {
      await bothUp();
      await askHaproxy(host("lb1"), "set server backend_chat_ws/chatserver1 state maint");
      const { output } = await up(draining("stop", []));
      expect(output).toContain("lb1: chatserver1 is in maintenance there");
      expect(output).toMatch(/chatserver1-messenger-running updated/);
      expect(output).toContain(
        "chatserver2: not drained: on lb1 somebody has taken all other chat servers out of service",
      );
      expect(await states()).toMatchObject({ chatserver1: "MAINT", chatserver2: "UP" });
      await askHaproxy(host("lb1"), "set server backend_chat_ws/chatserver1 state ready");
    },
    3 * minutes,
  );

  test(
    "with the other server down, nothing is changed",
    async () => {
      await bothUp();
      await said("chatserver2", "systemctl stop jtel-clientmessenger");
      const { output } = await up(draining("stop", ["files"]));
      expect(output).toContain("chatserver1: not drained: no other chat server runs that could take new chats");
      await said("chatserver2", "systemctl start jtel-clientmessenger");
    },
    minutes,
  );

  test(
    "a reload in the middle keeps the drain, and a run that is killed ends it",
    async () => {
      await bothUp();
      const stays = await Promise.all([visitor(), visitor(), visitor()]);
      const run = up((config) => {
        draining("stop", ["tmp", "network"])(config);
        (config.clientMessenger as { drain: object }).drain = { deadline: "10m", idle: `${idle}s` };
      });
      const drained = () =>
        until("chatserver1 is drained", 30, async () => (await states()).chatserver1 === "DRAIN" || undefined);
      await drained();
      expect(await said("chatserver1", "jtel-chatctl status")).toMatch(
        /draining until \d\d:\d\d UTC: \d sessions left/,
      );
      await said("lb1", "systemctl reload haproxy");
      await drained();
      await said("chatserver1", "systemctl kill --signal=KILL 'jtel-chat-messenger-*'");
      const { exitCode, output } = await run;
      expect(exitCode, output).not.toBe(0);
      expect(stays.every(({ socket }) => socket.readyState === WebSocket.OPEN)).toBe(true);
      await bothUp();
    },
    3 * minutes,
  );

  test(
    "without the key the agent goes, and nothing asks for it",
    async () => {
      await applied((config) => {
        config.clientMessenger = {};
      });
      expect(await said("lb1", "grep agent-check /etc/haproxy/haproxy.cfg")).toBe("");
      expect(
        await said(
          "chatserver1",
          "ls -d /etc/systemd/system/jtel-chat-drain* /run/jtel-chat-drain /var/lib/private/jtel-chat-drain 2>/dev/null; ss -Hltn 'sport = :3002'; ufw show added | grep 3002",
        ),
      ).toBe("");
    },
    2 * minutes,
  );
});
