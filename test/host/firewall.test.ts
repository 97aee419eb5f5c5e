import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { applyCommand, undoCommand } from "../../hosts/launcher.ts";
import { type SshResult, ssh } from "../../hosts/ssh.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { document } from "../../render/document.ts";
import { hostTool } from "../../render/host-tool.ts";
import { templateText } from "../../render/template.ts";
import { bootable } from "../bootable.ts";

const runnable = await bootable("the firewall of a booted host");

const name = `firewall-${process.pid}`;
const recoverUnit = "/etc/systemd/system/jtel-chat-recover.service";
const ours = Buffer.from("jtel-chat").toString("hex");
let lab: Lab;
let host: LabHost;
let neighbour: LabHost;

type Fields = Record<string, string | string[]>;

const firewall = (rules: string[], fields: Fields = {}): string =>
  document({ kind: "firewall", name: "ufw", fields: { rules, ...fields } });

const launch = applyCommand("firewall", { generation: 1, reason: "trial" });

const apply = (rules: string[], fields: Fields = {}) =>
  host.exec(launch, { input: firewall(rules, fields), user: "deploy" });

const undo = () => host.exec(undoCommand("firewall"), { user: "deploy" });

/** Over ssh, as the stack does it: each call is a connection of its own. */
const overSsh = (command: string, input = ""): Promise<SshResult> =>
  ssh({ address: host.address, port: 22, user: "deploy", hostKey: host.hostKey }, command, input);

const run = async (script: string): Promise<string> => {
  const { stdout, stderr, exitCode } = await host.exec(script);
  if (exitCode) throw new Error(`${script}: exit code ${exitCode}: ${stderr}${stdout}`);
  return stdout.trim();
};

interface Look {
  problems: string[];
  warnings: string[];
  drifted: boolean;
}

const look = async (rules: string[], fields: Fields = {}): Promise<Look> => {
  const request = JSON.stringify({ steps: { firewall: firewall(rules, fields) } });
  const { stdout } = await host.exec("jtel-chatctl look", { input: `${request}\n` });
  return JSON.parse(stdout.replace("\u001ejtel-chatctl ", "")).steps.firewall;
};

/** ufw's rules in their order, comments included: one line each, of both families. */
const tuples = async (): Promise<string[]> =>
  (await run("grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules || true")).split("\n").filter(Boolean);

const isOurs = (tuple: string): boolean => tuple.endsWith(`comment=${ours}`);

const foreign = async (): Promise<string[]> => (await tuples()).filter((tuple) => !isOurs(tuple));

const count = async (pattern: RegExp): Promise<number> =>
  (await tuples()).filter((tuple) => isOurs(tuple) && pattern.test(tuple)).length;

const seen = async (script: string): Promise<true | undefined> => (await host.exec(script)).exitCode === 0 || undefined;

const status = () => run("LC_ALL=C ufw status | head -1");

describe.skipIf(!runnable)("ufw on a customer's host", () => {
  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["chatserver1", "chatserver2"], temporary: true });
    host = lab.hosts.chatserver1 as LabHost;
    neighbour = lab.hosts.chatserver2 as LabHost;
    process.env.SSH_AUTH_SOCK = lab.agentSocket; // what ssh() logs in with
    await host.exec("cat > /usr/local/sbin/jtel-chatctl; chmod 755 /usr/local/sbin/jtel-chatctl", {
      input: hostTool(),
    });
    await host.exec(`cat > ${recoverUnit}; systemctl add-wants sysinit.target jtel-chat-recover`, {
      input: templateText(recoverUnit.slice(1)),
    });
    await run("tar -C / -cf /root/ufw.tar etc/ufw etc/default/ufw");
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  beforeEach(async () => {
    await host.exec("systemctl stop jtel-chat-firewall-trial.timer trial-member");
    await run("rm -rf /var/lib/jtel-chat /etc/ufw && tar -C / -xf /root/ufw.tar && ufw reload");
  });

  describe("rules of others", () => {
    const customers = [
      "limit 2222/tcp comment 'admins – «ü» $(x) \"y\" %20 #'",
      "deny proto tcp from 10.66.0.0/16 to any port 25",
      "allow log 8443/tcp",
      "allow Portal",
      "reject out 6667/tcp",
      "route allow in on eth0 out on eth0 to 10.9.9.9 port 80 proto tcp",
      "allow from fd00:66::/64 to any port 5432 proto tcp",
      "deny in on eth9 from 10.67.0.0/16",
    ];

    beforeEach(async () => {
      await host.exec("cat > /etc/ufw/applications.d/portal", {
        input: "[Portal]\ntitle=Portal\ndescription=Portal\nports=80,443/tcp\n",
      });
      for (const rule of customers) await run(`ufw ${rule}`);
    });

    test("keep their order, numbers and comments through apply, change and undo", async () => {
      const before = { tuples: await tuples(), numbered: await run("ufw status numbered") };
      expect(await apply(["allow 3000/tcp from 10.1.0.11", "allow 3003/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before.tuples);
      expect(await count(/3000|3003/)).toBe(3);
      expect(await apply(["allow 3000/tcp from 10.1.0.0/24 on eth0"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before.tuples);
      expect(await count(/./)).toBe(1);
      expect(await undo()).toMatchObject({ exitCode: 0 });
      expect({ tuples: await tuples(), numbered: await run("ufw status numbered") }).toEqual(before);
    });

    test("a second apply calls ufw not once", async () => {
      await apply(["allow 3003/tcp"]);
      const written = await run("stat -c %y%z /etc/ufw/user.rules /etc/ufw/user6.rules");
      expect((await apply(["allow 3003/tcp"])).stdout.trim()).toBe("nothing to change");
      expect(await run("stat -c %y%z /etc/ufw/user.rules /etc/ufw/user6.rules")).toBe(written);
    });

    test("that say the same serve as they are, one family of them, too", async () => {
      await run("ufw allow proto tcp from 0.0.0.0/0 to any port 3003 comment 'visitors, since 2019'");
      const before = await tuples();
      expect(await apply(["allow 3003/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before);
      expect(await count(/3003 ::\/0 any ::\/0/)).toBe(1);
      expect(await count(/./)).toBe(1);
      await undo();
      expect(await tuples()).toEqual(before);
    });

    test("that come before ours and keep out, or open more, are named and left", async () => {
      await run("ufw deny from 10.1.0.0/24 comment quarantine && ufw allow 5701:5801/tcp");
      const before = await foreign();
      const rules = ["allow 3000/tcp from 10.1.0.11", "allow 5701:5801/tcp from 10.2.0.21"];
      const { warnings, problems } = await look(rules);
      expect(problems).toEqual([]);
      expect(warnings).toEqual([
        expect.stringContaining("'allow 5701:5801/tcp' opens more than 'allow 5701:5801/tcp from 10.2.0.21'"),
        expect.stringContaining("'deny any/any from 10.1.0.0/24' comes before 'allow 3000/tcp from 10.1.0.11'"),
      ]);
      expect(await apply(rules)).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before);
    });

    test("that forbid the very same are a problem: ufw would flip them", async () => {
      await run("ufw deny 3003/tcp");
      const before = await tuples();
      expect((await look(["allow 3003/tcp"])).problems[0]).toContain("your rule 'deny 3003/tcp'");
      expect((await apply(["allow 3003/tcp"])).stderr).toContain("Remove yours: ufw delete deny");
      expect(await tuples()).toEqual(before);
    });
  });

  test("sources of both families get their rules; without IPv6 in ufw theirs are left out, and said so", async () => {
    const rules = ["allow 3000/tcp from 10.1.0.0/24", "allow 3000/tcp from fd00:1::/64 on eth0", "allow 3003/tcp"];
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/fd00:1::\/64 in_eth0/)).toBe(1);
    expect(await count(/./)).toBe(4);
    await undo();
    await run("sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw");
    expect((await look(rules)).warnings).toEqual([
      expect.stringContaining("'allow 3000/tcp from fd00:1::/64 on eth0' is left out"),
    ]);
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(2);
    expect((await look(rules)).drifted).toBe(false);
    await run("sed -i s/IPV6=no/IPV6=yes/ /etc/default/ufw");
    expect((await look(rules)).drifted).toBe(true);
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(4);
  });

  test("an interface that the host lacks is a problem that names those it has", async () => {
    const { problems } = await look(["allow 3000/tcp on eth7"]);
    expect(problems).toEqual([expect.stringMatching(/no interface 'eth7'.*eth0/)]);
  });

  test("an error in the same step puts all rules back", async () => {
    await apply(["allow 3003/tcp"]);
    const before = (await tuples()).toSorted();
    await run("mkdir -p /acd-store/shared"); // where a link belongs
    const failing = { kind: "files" as const, name: "/acd-store/shared", fields: { link: "/home/jtel/shared" } };
    const text = `${firewall(["allow 3000/tcp from 10.1.0.11"])}\n${document(failing)}`;
    expect(await host.exec(launch, { input: text, user: "deploy" })).not.toMatchObject({ exitCode: 0 });
    expect((await tuples()).toSorted()).toEqual(before);
  });

  test("tightening leaves no gap: whoever stays allowed gets in all the time", async () => {
    expect(await apply(["allow 3000/tcp"])).toMatchObject({ exitCode: 0 });
    const server = `import socket
server = socket.create_server(("", 3000), backlog=100)
while True: server.accept()[0].close()`;
    await run(`systemd-run --quiet --collect --unit=trial-member python3 -c '${server}'`);
    await until("the listener", 20, () => seen("ss -Htln sport = 3000 | grep -q ."));
    const visits = neighbour.exec("rm -f /tmp/enough; python3 -", {
      input: `import os, socket, time
count = 0
while not os.path.exists("/tmp/enough"):
    socket.create_connection(("${host.address}", 3000), 5).close()
    count += 1
    time.sleep(0.01)
print(count)`,
    });
    const { stdout } = await apply([`allow 3000/tcp from ${neighbour.address}`]);
    await neighbour.exec("touch /tmp/enough");
    expect(await visits).toMatchObject({ exitCode: 0, stderr: "" });
    expect(Number((await visits).stdout)).toBeGreaterThan(10);
    expect(stdout.indexOf("added")).toBeLessThan(stdout.indexOf("removed"));
    expect(await count(/./)).toBe(1);
  });

  describe("20 other ufw calls at the same time", () => {
    const rounds = [1, 2, 3];
    const wanted = ["allow 3000/tcp from 10.1.0.11", "allow 5701:5801/tcp from 10.1.0.0/24", "allow 3003/tcp"];
    const before = ["deny 25/tcp", "limit 2222/tcp comment 'admins'", "allow from fd00:66::/64"];

    /** Resolves when all have ended. `serialised`: among themselves, as a careful customer's own scripts do it. */
    const others = (round: number, serialised: boolean) => {
      const lock = serialised ? "flock /run/customer.lock " : "";
      return run(
        `for i in $(seq 20); do ${lock}ufw allow proto tcp from 10.99.${round}.$i to any port 9000 & done; wait`,
      );
    };

    /** The network is wide at first and then tightened, all while others call. */
    const oursMeanwhile = async () => {
      expect(await apply([...wanted, "allow 3000/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await apply(wanted)).toMatchObject({ exitCode: 0 });
    };

    test("that are serialised among themselves: neither they nor we lose a rule", {
      timeout: 5 * minutes,
    }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      for (const round of rounds) {
        const kept = await foreign();
        await Promise.all([others(round, true), oursMeanwhile()]);
        const found = await foreign();
        const theirs = found.filter((tuple) => tuple.includes(` 10.99.${round}.`));
        expect(theirs.length, `round ${round}`).toBe(20);
        expect(found.filter((tuple) => !theirs.includes(tuple))).toEqual(kept);
        expect(await count(/./), (await tuples()).join("\n")).toBe(4);
        await undo();
        expect(await count(/./)).toBe(0);
        expect((await foreign()).toSorted()).toEqual(found.toSorted());
      }
    });

    test("that lose each other's: not ours", { timeout: 5 * minutes }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      for (const round of rounds) {
        await Promise.all([others(round, false), oursMeanwhile()]);
        expect(await count(/./), (await tuples()).join("\n")).toBe(4);
      }
    });

    test("that take away a rule of others: its name is printed", { timeout: 5 * minutes }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      const once = "until grep -q 3000 /etc/ufw/user.rules; do sleep 0.01; done; ufw delete limit 2222/tcp";
      await run(`systemd-run --quiet --collect --unit=trial-taking sh -c '${once}'`);
      const { stdout } = await apply(wanted);
      expect(stdout).toContain("'limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in comment=61646d696e73'");
    });
  });

  test("a ufw call that has read before ours and writes after them takes nothing away", async () => {
    const python =
      "import fcntl, time; lock = open('/run/ufw.lock', 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); time.sleep(600)";
    await run(`systemd-run --quiet --collect --unit=trial-holder python3 -c "${python}"`);
    await until("the lock to be held", 20, () => seen("grep -q 'POSIX .*WRITE' /proc/locks"));
    await run("systemd-run --quiet --collect --unit=trial-late ufw allow 9999/tcp");
    await until("ufw to wait for its lock", 20, () => seen("grep -q -- '-> POSIX' /proc/locks"));
    await run("systemctl kill --signal=STOP trial-late && systemctl stop trial-holder");
    const applied = apply(["allow 3003/tcp", "allow 3000/tcp from 10.1.0.11"]);
    await until("our rules", 20, async () => ((await count(/./)) === 3 ? true : undefined));
    await until("our calls to end", 20, () => seen("! pgrep --exact --runstates R,S,D ufw"));
    await run("systemctl kill --signal=CONT trial-late");
    await until("the late call to end", 20, () => seen("! systemctl is-active trial-late"));
    expect(await applied).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(3);
    expect((await foreign()).filter((tuple) => tuple.includes(" 9999 ")).length).toBe(2);
  });

  describe("a member outside that is connected", () => {
    const members = { members: "5701:5801" };
    const inside = ["allow 5701:5801/tcp from 10.1.0.21"];

    /** Like Hazelcast's, a socket for both families, which shows IPv4 peers as mapped addresses. */
    const listen = `import socket, time
server = socket.create_server(("", 5701), family=socket.AF_INET6, dualstack_ipv6=True)
kept = []
while True: kept.append(server.accept())`;

    const connect = (address: string) => `import socket, time
peer = socket.create_connection(("${address}", 5701), 5)
print("connected", flush=True)
time.sleep(600)`;

    const start = async (on: LabHost, unit: string, program: string) => {
      await on.exec(`systemctl stop ${unit}; systemd-run --quiet --collect --unit=${unit} python3 -c '${program}'`);
    };

    const join = async (address: string) => {
      await start(neighbour, "trial-peer", connect(address));
      await until("the member", 20, async () => await seen("ss -Htn state established sport = 5701 | grep -q ."));
    };

    beforeEach(async () => {
      await neighbour.exec("systemctl stop trial-peer");
      await start(host, "trial-member", listen);
      await until("the listener", 20, () => seen("ss -Htln sport = 5701 | grep -q ."));
    });

    test("is not cut off: tightening is refused until firewall.sources names it", async () => {
      expect(await apply(["allow 5701:5801/tcp"], members)).toMatchObject({ exitCode: 0 });
      await join(host.address);
      const before = await tuples();
      const refusal = `${neighbour.address} is connected to the cluster's port 5701, and only 'allow 5701:5801/tcp' lets it in`;
      expect((await look(inside, members)).problems).toEqual([expect.stringContaining(refusal)]);
      const refused = await apply(inside, members);
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toContain("Name it in firewall.sources");
      expect(await tuples()).toEqual(before);

      const named = [...inside, `allow 5701:5801/tcp from ${neighbour.address}`];
      expect(await look(named, members)).toMatchObject({ problems: [], warnings: [] });
      expect(await apply(named, members)).toMatchObject({ exitCode: 0 });
      await join(host.address);
    });

    test("over IPv6 is seen, too", async () => {
      await run("ip address replace fd00:77::21/64 dev eth0 nodad");
      await neighbour.exec("ip address replace fd00:77::22/64 dev eth0 nodad");
      expect(await apply(["allow 5701:5801/tcp from fd00:77::/64"], members)).toMatchObject({ exitCode: 0 });
      await join("fd00:77::21");
      expect((await look(inside, members)).problems).toEqual([expect.stringContaining("fd00:77::22 is connected")]);
      expect(await look(["allow 5701:5801/tcp from fd00:77::22"], members)).toMatchObject({
        problems: [],
        warnings: [],
      });
      expect((await look(["allow 5701:5801/tcp from fd00:77::22 on lo"], members)).problems.length).toBe(1);
    });

    test("by a customer's own rule stays so, with a warning", async () => {
      await run(`ufw allow from ${neighbour.address} comment 'web server'`);
      await join(host.address);
      const { problems, warnings } = await look(inside, members);
      expect(problems).toEqual([]);
      expect(warnings).toEqual([
        expect.stringMatching(/is connected .*though no rule of this stack says so.*firewall\.sources/),
      ]);
      expect(await apply(inside, members)).toMatchObject({ exitCode: 0 });
      await join(host.address);
    });
  });

  describe("ufw that is off", () => {
    const rules = ["allow 3003/tcp"];
    const timer = async () => (await host.exec("systemctl is-active jtel-chat-firewall-trial.timer")).stdout.trim();
    const logged = () => run("jtel-chatctl log");

    const enable = (within: string, rest = "") => overSsh(launch, firewall(rules, { enable: within }) + rest);

    /** Off, and nothing of the customer's lets ssh in. */
    beforeEach(async () => {
      await run("ufw disable && ufw delete allow 22/tcp");
    });

    test("stays off: the rules are saved, and that is said", async () => {
      const { stdout, exitCode } = await apply(rules);
      expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining("ufw is inactive"), exitCode: 0 });
      expect(await status()).toBe("Status: inactive");
      expect(await count(/3003/)).toBe(2);
    });

    test("is switched on with ssh's rule, stays on when a second connection comes, and is off again after undo", async () => {
      const before = await tuples();
      const early = overSsh(
        "touch /tmp/early; while [ ! -e /tmp/enabled ]; do sleep 0.1; done; sudo jtel-chatctl status",
      );
      await until("the early connection", 20, () => seen("ls /tmp/early"));
      const { stdout, stderr, exitCode } = await enable("10min");
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("ufw is switched on for 10min");
      expect(await status()).toBe("Status: active");
      expect(await count(/ 22 /)).toBe(2);

      await run("touch /tmp/enabled; jtel-chatctl status");
      expect(await early, "an older connection").toMatchObject({ exitCode: 0 });
      expect(await timer(), "neither that nor the console shows anything").toBe("active");

      expect(await overSsh("sudo jtel-chatctl status")).toMatchObject({ exitCode: 0 });
      expect(await timer()).toBe("inactive");
      expect(await logged()).toMatch(/confirm firewall by deploy from .*: done\n.*ufw stays on/);
      expect((await look(rules, { enable: "10min" })).drifted).toBe(false);

      expect(await apply(rules), "without the key").toMatchObject({ exitCode: 0 });
      expect(await status()).toBe("Status: active");
      expect(await count(/ 22 /), "ssh's rule outlives the key").toBe(2);

      expect(await overSsh(undoCommand("firewall"))).toMatchObject({ exitCode: 0 });
      expect(await status()).toBe("Status: inactive");
      expect(await tuples()).toEqual(before);
    });

    test("goes off again by itself when nobody comes, and the log says so", async () => {
      expect(await enable("4s")).toMatchObject({ exitCode: 0 });
      expect(await status()).toBe("Status: active");
      await until("ufw to go off", 30, async () => ((await status()) === "Status: inactive" ? true : undefined));
      expect(await logged()).toMatch(/trial firewall .*: failed\n.*no second ssh connection came within 4s/);
      expect((await look(rules, { enable: "4s" })).drifted).toBe(true);
    });

    test("goes off again when the host is started anew before anybody came", async () => {
      expect(await enable("10min")).toMatchObject({ exitCode: 0 });
      await host.kill();
      await host.start();
      expect(await status()).toBe("Status: inactive");
      expect(await logged()).toMatch(/the host was started anew/);
    });

    test("is off again, with all rules back, when the same step fails later", async () => {
      const before = await tuples();
      await run("mkdir -p /acd-store/shared"); // where a link belongs
      const failing = document({ kind: "files", name: "/acd-store/shared", fields: { link: "/home/jtel/shared" } });
      expect(await enable("10min", failing)).not.toMatchObject({ exitCode: 0 });
      expect(await status()).toBe("Status: inactive");
      expect(await timer()).toBe("inactive");
      expect(await tuples()).toEqual(before);
    });

    test("gets every port that sshd listens on opened, unless a rule of the customer names it", async () => {
      await host.exec(
        "printf 'Port 22\nPort 2222\nPort 2223\n' > /etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh",
      );
      await run("ufw allow proto tcp from 10.5.0.0/16 to any port 2223");
      expect(await enable("10min")).toMatchObject({ exitCode: 0 });
      expect(await count(/ 22 /)).toBe(2);
      expect(await count(/ 2222 /)).toBe(2);
      expect(await count(/ 2223 /)).toBe(0);
      await host.exec("rm /etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh");
    });

    test("is not switched on where a rule of the customer would lock this very connection out", async () => {
      await run(`ufw deny from ${lab.controllerAddress}`);
      const refused = await enable("10min");
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toContain(
        `would lock ssh out: your rule 'deny any/any from ${lab.controllerAddress}' refuses`,
      );
      expect(await status()).toBe("Status: inactive");
    });

    test("names what switching it on would close", async () => {
      await run("systemd-run --quiet --collect --unit=trial-member python3 -m http.server 8080");
      await until("the listener", 20, () => seen("ss -Htln sport = 8080 | grep -q ."));
      const { warnings } = await look(rules, { enable: "10min" });
      expect(warnings).toEqual([expect.stringMatching(/closes ports that programs listen on: 8080\. Allow first/)]);
    });
  });
});
