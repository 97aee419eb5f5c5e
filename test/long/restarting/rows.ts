import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { openSession } from "../../../lab/clients/load.ts";
import { vendor } from "../../host/chat-server-steps.ts";
import type { Landscape, Row, Scene } from "./restart.ts";

const [lbs, servers] = [
  ["lb1", "lb2"],
  ["chatserver1", "chatserver2", "chatserver3"],
];
const separate = (chatServers: number, loadBalancers: number): Landscape => ({
  topology: "separate-server",
  loadBalancers: lbs.slice(0, loadBalancers),
  chatServers: servers.slice(0, chatServers),
});

/** Ten minutes and sessions of up to two, in the proportion of sessions of up to six seconds. */
const cut = { deadline: "20s", idle: "5s", atDeadline: "cut" } as const;
const stop = { ...cut, atDeadline: "stop" } as const;

/** 50 new connections a second. */
const many = { visitors: 200, agents: 4 };
/** 25: the machine's two cores carry the hosts, the visitors, and what else happens. */
const usual = { visitors: 100, agents: 4 };

/** An `up` that stops before it has changed anything where chat runs. */
const refused = async ({ restart, landscape, said }: Scene, why: string): Promise<void> => {
  const unit =
    "systemctl is-active --quiet jtel-clientmessenger && cat /etc/systemd/system/jtel-clientmessenger.service";
  const before = await Promise.all(landscape.chatServers.map((name) => said(name, unit)));
  const { exitCode, output } = await restart();
  expect(exitCode, output).not.toBe(0);
  expect(output).toContain(why);
  expect(output).toContain("exited with status 4");
  expect(await Promise.all(landscape.chatServers.map((name) => said(name, unit)))).toEqual(before);
};

/** What it is without `clientMessenger.drain`. */
const atOnce: Row[] = [
  {
    landscape: separate(2, 1),
    happens: "no drain: restarted at once",
    ...usual,
    limits: { cut: Number.POSITIVE_INFINITY },
    instead: "who is on a server is cut",
  },
];

const coLocated: Landscape = { topology: "co-located", loadBalancers: ["lb1"], chatServers: servers.slice(0, 2) };

const lbHosted: Landscape = { topology: "lb-hosted", loadBalancers: lbs, chatServers: lbs };

const otherDown = (landscape: Landscape): Row => ({
  landscape,
  happens: "the other server is down, `stop`",
  ...{ drain: stop, ...usual },
  first: ({ said }) => said("chatserver2", "systemctl stop jtel-clientmessenger"),
  act: async (scene) => {
    try {
      await refused(scene, "chatserver1: not drained: no other chat server runs");
    } finally {
      await scene.said("chatserver2", "systemctl start jtel-clientmessenger");
    }
  },
});

const drained: Row = {
  ...{ landscape: separate(2, 1), happens: "each server is drained, 200 visitors", drain: cut, ...many },
};

/** The other landscapes, restarted without a fault. */
const rolling: Row[] = [
  { landscape: separate(2, 2), happens: "each server is drained, 200 visitors", drain: cut, ...many },
  { landscape: separate(3, 2), happens: "each server is drained", drain: cut, ...usual },
  { landscape: separate(3, 1), happens: "each server is drained", drain: cut, ...usual },
  { landscape: coLocated, happens: "each server is drained", drain: cut, ...usual },
  otherDown(coLocated), // beside its web server's Hazelcast member, which runs
  { landscape: lbHosted, happens: "each server is drained", drain: cut, ...usual },
];

/** Without a second server. */
const alone: Row[] = [
  {
    landscape: separate(1, 1),
    happens: "the only server, `stop`",
    ...{ drain: stop, ...usual },
    act: (scene) => refused(scene, "no other chat server runs"),
  },
  {
    landscape: separate(1, 1),
    happens: "the only server, `cut`",
    ...{ drain: cut, ...usual },
    limits: { failed: Number.POSITIVE_INFINITY, cut: Number.POSITIVE_INFINITY, early: 8, without: 60 },
    instead: "all are cut; back within 60 s",
  },
];

const without = { visitors: usual.visitors, agents: 0 };

const faults: Row[] = [
  {
    landscape: separate(2, 1),
    happens: "HAProxy is reloaded while a server drains, and while it starts",
    ...{ drain: cut, ...usual },
    act: async ({ restarted, drains, said }) => {
      const run = restarted();
      await drains("chatserver1");
      await said("lb1", "systemctl reload haproxy");
      await drains("chatserver1");
      await said("chatserver1", "timeout 60 sh -c 'while ss -Hltn sport = :3000 | grep -q .; do sleep 0.1; done'");
      await said("lb1", "systemctl reload haproxy");
      await run;
    },
  },
  {
    landscape: separate(2, 1),
    happens: "a release that does not start",
    ...{ drain: stop, ...without },
    act: async ({ restart, settings, said }) => {
      const jar = "sha256sum /home/jtel/ClientMessenger/bin/clientmessenger.jar";
      const before = await said("chatserver2", jar);
      settings.release = "follow";
      await said("chatserver1", `cd ${vendor}/bin && mv clientmessenger.jar kept && echo broken >clientmessenger.jar`);
      const { exitCode, output } = await restart();
      await said("chatserver1", `cd ${vendor}/bin && mv kept clientmessenger.jar`);
      expect(exitCode, output).not.toBe(0);
      expect(output).toMatch(/chatserver1-messenger-running.*\n?[\s\S]*healthy again on its old files/);
      expect([await said("chatserver1", jar), await said("chatserver2", jar)]).toEqual([before, before]);
    },
  },
  {
    landscape: separate(2, 1),
    happens: "`up` is killed while a server drains, and repeated",
    ...{ drain: stop, ...without },
    act: async ({ restart, restarted, drains }) => {
      let kill = () => false;
      const run = restart({
        running: (pulumi) => {
          kill = () => pulumi.kill("SIGKILL");
        },
      });
      await drains("chatserver1");
      kill();
      await run;
      await restart({}, ["cancel", "--yes"]);
      await restarted();
    },
  },
  {
    landscape: separate(2, 1),
    happens: "the power of one server fails while the other drains, and `up` is repeated",
    drain: { ...cut, deadline: "60s" },
    ...usual,
    limits: { failed: Number.POSITIVE_INFINITY, cut: 200, early: 4, without: 10 },
    instead: "that server's sessions are cut; new ones come again within 10 s",
    act: async ({ host, restart, drains, allUp, restarted }) => {
      const run = restart();
      await drains("chatserver1");
      await pause(3000);
      await host("chatserver2").kill();
      const { exitCode, output } = await run;
      expect(exitCode, output).not.toBe(0);
      expect(output).toContain("the last other chat server went away");
      await host("chatserver2").start();
      await allUp();
      await restarted();
    },
  },
  otherDown(separate(2, 1)),
  {
    landscape: separate(2, 1),
    happens: "agents who never leave, `stop`",
    ...{ drain: stop, ...usual },
    act: (scene) => refused(scene, "sessions are left on this server after 20 s"),
  },
  {
    landscape: separate(2, 1),
    happens: "a visitor's network goes away, `stop`",
    ...{ drain: { ...stop, deadline: "60s" }, ...without },
    act: async ({ lab, restarted, said }) => {
      const gone = await openSession(lab(), "visitor");
      const { localPort } = (gone.socket as unknown as { _socket: { localPort: number } })._socket;
      const packets = (verb: string) =>
        said(
          "lb1",
          `iptables -${verb} INPUT -p tcp --sport ${localPort} -j DROP; iptables -${verb} OUTPUT -p tcp --dport ${localPort} -j DROP`,
        );
      await packets("I");
      const begun = Date.now();
      await restarted();
      await packets("D");
      gone.socket.terminate();
      expect(Date.now() - begun, "nobody waits for him until the deadline").toBeLessThan(110_000);
    },
  },
];

const standbyOff: Row = {
  landscape: separate(2, 2),
  happens: "HAProxy is off on the standby",
  ...{ drain: stop, ...without, through: ["lb1"] },
  first: ({ said }) => said("lb2", "systemctl stop haproxy"),
  act: async ({ said, restarted }) => {
    await restarted();
    await said("lb2", "systemctl is-active haproxy || systemctl start haproxy");
  },
};

/** All rows, those of one landscape one after the other: making the lab another one takes a minute. */
export const rows: Row[] = [...faults, drained, standbyOff, ...rolling, ...alone, ...atOnce];
