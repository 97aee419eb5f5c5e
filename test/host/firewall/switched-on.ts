import { beforeEach, describe, expect, test } from "vitest";
import { undoCommand } from "../../../hosts/launcher.ts";
import { until } from "../../../lab/deadline.ts";
import { document } from "../../../render/document.ts";
import { apply, count, firewall, host, lab, launch, look, overSsh, run, seen, status, tuples } from "./customer.ts";

/** ufw that is off, and what `firewall.enable` does. */
export const isSwitchedOnOnTrial = (): void => {
  describe("ufw that is off", () => {
    const rules = ["allow 3003/tcp"];
    const timer = async () => (await host().exec("systemctl is-active jtel-chat-firewall-trial.timer")).stdout.trim();
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
      await host().kill();
      await host().start();
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
      await host().exec(
        "printf 'Port 22\nPort 2222\nPort 2223\n' > /etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh",
      );
      await run("ufw allow proto tcp from 10.5.0.0/16 to any port 2223");
      expect(await enable("10min")).toMatchObject({ exitCode: 0 });
      expect(await count(/ 22 /)).toBe(2);
      expect(await count(/ 2222 /)).toBe(2);
      expect(await count(/ 2223 /)).toBe(0);
      await host().exec("rm /etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh");
    });

    test("is not switched on where a rule of the customer would lock this very connection out", async () => {
      await run(`ufw deny from ${lab().controllerAddress}`);
      const refused = await enable("10min");
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toContain(
        `would lock ssh out: your rule 'deny any/any from ${lab().controllerAddress}' refuses`,
      );
      expect(await status()).toBe("Status: inactive");
    });

    test("names what switching it on would close", async () => {
      const listens = `import socket, time
kept = [socket.socket(type=kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
kept[0].bind(("", 8080)), kept[0].listen(), kept[1].bind(("", 5060))
vrrp = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
time.sleep(600)`;
      await host().exec("cat > /root/listens.py", { input: listens });
      await run("systemd-run --quiet --collect --unit=trial-member python3 /root/listens.py");
      await until("the listeners", 20, () => seen("grep -q ':0070 ' /proc/net/raw"));
      const { warnings } = await look(rules, { enable: "10min" });
      expect(warnings).toEqual([
        expect.stringContaining("closes ports that programs listen on: 5060/udp, 8080/tcp. Allow first"),
        expect.stringContaining("keeps VRRP out"),
      ]);
      await run("sed -i 's/^COMMIT/-A ufw-before-input -p 112 -j ACCEPT\\nCOMMIT/' /etc/ufw/before.rules");
      expect((await look(rules, { enable: "10min" })).warnings).toHaveLength(1);
      expect(await enable("10min")).toMatchObject({ exitCode: 0 });
      expect(await run("iptables -S ufw-before-input")).toContain("-p vrrp -j ACCEPT");
    });

    test("closes nothing where its policy lets in what no rule forbids", async () => {
      await run("ufw default allow incoming && ufw deny 9");
      const { problems, warnings } = await look(rules, { enable: "10min" });
      expect({ problems, warnings }).toEqual({
        problems: [],
        warnings: [expect.stringContaining("the rules of this stack limit nothing")],
      });
    });
  });
};
