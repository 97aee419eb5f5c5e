import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { type Config, engineLab, runnable } from "./engine-lab.ts";

const pid = "systemctl show --value --property=MainPID jtel-clientmessenger haproxy";

/** What somebody does to a chat server by hand, kind by kind, and how a preview names it. */
const edits: [string, string, RegExp][] = [
  ["packages", "dpkg --remove --force-depends $JDK", /chatserver1-java.*package openjdk-\d+-jdk: absent/s],
  ["files", "chmod 600 /usr/local/bin/updatesc.sh", /mode of \/usr\/local\/bin\/updatesc\.sh: 0600/],
  ["files from the share", "echo '<!-- x -->' >>/home/jtel/ClientMessenger/conf/hazelcast.xml", /\+<!-- x -->/],
  ["release", "echo damaged >>/home/jtel/ClientMessenger/bin/clientmessenger.jar", /release in .* changed/],
  ["unit", "echo '# x' >>/etc/systemd/system/jtel-clientmessenger.service", /\+# x/],
  [
    "secret",
    "echo x >>/etc/jtel-chat/clientmessenger.args",
    /content of \/etc\/jtel-chat\/clientmessenger\.args changed/,
  ],
  ["firewall", "ufw delete allow proto tcp from $LB to any port 3000", /-allow 3000\/tcp from/],
  ["service", "systemctl disable --now jtel-clientmessenger", /jtel-clientmessenger\.service is: inactive/],
];

describe.skipIf(!runnable)("drift and change on booted hosts", () => {
  const { lab, host, said, stack, up, applied, noop, preview } = engineLab("drift");

  test("the dev stack is up", () => applied(), 10 * minutes);

  test("drift of every kind is named in a preview, healed by up, and gone with the next", async () => {
    const jdk = javaOf(lab().release).package;
    const healthy = await said("chatserver2", pid);
    for (const [, script] of edits) await said("chatserver1", `LB=${host("lb1").address}; JDK=${jdk}; ${script}`);
    await said("lb1", "sed -i 's/balance leastconn/balance roundrobin/' /etc/haproxy/haproxy.cfg");
    const { output } = await preview();
    for (const [kind, , named] of edits) expect.soft(output, kind).toMatch(named);
    expect(output).toMatch(/-\s+balance leastconn/);
    expect(output).toMatch(/\+\s+balance roundrobin/);
    expect(output).not.toContain(lab().database.password);
    await applied();
    await noop();
    expect(await said("lb1", "grep -c 'balance leastconn' /etc/haproxy/haproxy.cfg")).toBe("1");
    expect(await said("chatserver1", "systemctl is-active jtel-clientmessenger; jtel-chatctl check")).toMatch(
      /^active\n/,
    );
    expect(await said("chatserver2", pid)).toBe(healthy);
  });

  test("a hand edit that the process has not loaded restarts nothing, and stops an up that may not heal", async () => {
    const before = await said("chatserver1", pid);
    await said("chatserver1", "echo '# mine' >>/usr/local/bin/updatesc.sh");
    const stopped = await up((config) => {
      config.onDrift = "stop";
    });
    expect(stopped.output).toMatch(/chatserver1: messenger was changed on the host .*onDrift is "stop"/);
    expect(stopped.exitCode).not.toBe(0);
    await applied();
    expect(await said("chatserver1", pid)).toBe(before);
  });

  test("a changed document and drift come together in one up", async () => {
    const wider = (config: Config) => {
      config.firewall = { sources: [lab().subnet] };
    };
    await said("chatserver1", `ufw delete allow proto tcp from ${host("lb1").address} to any port 3000`);
    const { output } = await preview(wider);
    expect(output).toMatch(/\+\s+allow 3000\/tcp from .*\.0\/24/);
    await applied(wider);
    await noop(wider);
    await applied();
    await noop();
  });

  test("a host that was set back to an older snapshot gets its documents again", async () => {
    const wider = (config: Config) => {
      config.firewall = { sources: [lab().subnet] };
    };
    await said("chatserver1", "mkdir /root/older && cp -a /var/lib/jtel-chat /etc/ufw /root/older/");
    await applied(wider);
    await said(
      "chatserver1",
      "rm -r /var/lib/jtel-chat && cp -a /root/older/jtel-chat /var/lib/ && cp -a /root/older/ufw /etc/",
    );
    await host("chatserver1").kill();
    await host("chatserver1").start();
    const output = await applied(wider);
    expect(output).toContain("chatserver1-firewall updated");
    expect(await said("chatserver1", "ufw show added")).toContain(`from ${lab().subnet} to any port 3000`);
    await noop(wider);
    await applied();
  });

  test("outside the maintenance window an up that may restart chat writes nothing, unless it is said why", async () => {
    const closed = (config: Config) => {
      const inThreeDays = new Date(Date.now() + 3 * 24 * 60 * minutes);
      const day = inThreeDays.toLocaleDateString("en", { weekday: "short", timeZone: "UTC" }).toLowerCase();
      config.maintenance = { days: [day], from: "22:00", to: "23:00", timezone: "UTC" };
      config.clientMessenger = { unit: { limits: ["tmp"] } };
      config.firewall = { sources: [lab().subnet] };
    };
    const before = await said("chatserver1", pid);
    const due =
      /jtel-clientmessenger\.service may be restarted \(messenger changes\): now is outside the maintenance window/;
    const seen = await preview(closed);
    expect(seen.output).toMatch(due);
    expect(seen.exitCode).toBe(0);
    const refused = await up(closed);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.output).toMatch(due);
    expect(await said("chatserver1", "ufw show added")).not.toContain(`from ${lab().subnet} to any port 3000`);
    expect(await said("chatserver1", pid)).toBe(before);

    const argv = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
    const environment = { JTEL_CHAT_RESTART_REASON: "ticket 4711" };
    const { exitCode, output } = await (await stack(closed)).pulumi(argv, { environment });
    expect(exitCode, output).toBe(0);
    expect(await said("chatserver1", pid)).not.toBe(before);
    expect(await said("chatserver1", "jtel-chatctl log | tail -5")).toContain(
      "restart outside the window: ticket 4711",
    );
    await applied();
    await noop();
  });

  test("a new hazelcast.xml on the share restarts the servers one after the other, in the same up", async () => {
    const pids = async () => [await said("chatserver1", pid), await said("chatserver2", pid)];
    const before = await pids();
    await said(
      "chatserver1",
      "sed -i 's#</hazelcast>#<!-- changed -->\\n</hazelcast>#' /home/jtel/shared/hazelcast.xml",
    );
    expect(await applied()).toMatch(
      /restarted jtel-clientmessenger\.service: .*hazelcast\.xml changed since its start/,
    );
    const after = await pids();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    await noop();
    expect(await pids()).toEqual(after);
  });

  test("--target heals what it names and no more; with --refresh, and one step at a time, the rest is healed", async () => {
    await said("lb1", "sed -i 's/balance leastconn/balance roundrobin/' /etc/haproxy/haproxy.cfg");
    await said("chatserver1", "chmod 600 /usr/local/bin/updatesc.sh");
    const state = "stat -c %a /usr/local/bin/updatesc.sh";
    const one = await up(undefined, ["--target", "**lb1-haproxy"]);
    expect(one.exitCode, one.output).toBe(0);
    expect(await said("lb1", "grep -c 'balance leastconn' /etc/haproxy/haproxy.cfg")).toBe("1");
    expect(await said("chatserver1", state)).toBe("600");
    const rest = await up(undefined, ["--refresh", "--parallel", "1"]);
    expect(rest.exitCode, rest.output).toBe(0);
    expect(await said("chatserver1", state)).toBe("755");
    await noop();
  });

  test("without looking, a preview shows nothing false", async () => {
    const environment = { JTEL_CHAT_OBSERVE: "never" };
    const { exitCode, output } = await (await stack()).pulumi(["preview", "--expect-no-changes"], { environment });
    expect(output).toContain("not seen");
    expect(exitCode).toBe(0);
  });
});
