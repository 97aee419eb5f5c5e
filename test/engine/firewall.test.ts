import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { type Config, engineLab, runnable } from "./engine-lab.ts";

const hosts = ["lb1", "chatserver1", "chatserver2"];

const enabled = (config: Config) => {
  config.firewall = { enable: true };
};

describe.skipIf(!runnable)("the firewall by the engine", () => {
  const { said, stack, applied, noop, preview } = engineLab("firewall");

  const ufw = () => Promise.all(hosts.map((host) => said(host, "LC_ALL=C ufw status | head -1")));

  test(
    "is switched on by an up whose later steps are the second connection, and off again by destroy",
    async () => {
      for (const host of hosts) await said(host, "ufw disable && ufw delete allow 22/tcp");
      const output = await applied(enabled);
      expect(output).toContain("ufw is switched on for 30min");
      expect(await ufw()).toEqual(hosts.map(() => "Status: active"));
      for (const host of hosts) {
        expect(await said(host, "systemctl is-active jtel-chat-firewall-trial.timer"), host).toBe("inactive");
        expect(await said(host, "jtel-chatctl log"), host).toMatch(/ufw stays on: ssh still gets in/);
      }
      await noop(enabled);
      const destroyed = await (await stack(enabled)).pulumi(["destroy", "--yes", "--suppress-outputs"]);
      expect(destroyed.exitCode, destroyed.output).toBe(0);
      expect(await ufw()).toEqual(hosts.map(() => "Status: inactive"));
      expect(await said("lb1", "ufw show added")).not.toMatch(/jtel-chat|port 22/);
    },
    15 * minutes,
  );

  test(
    "says in the preview what an open cluster means",
    async () => {
      const { output, exitCode } = await preview((config) => {
        config.firewall = { sources: "any" };
      });
      expect(exitCode, output).toBe(0);
      expect(output).toContain("warning: 5701:5801/tcp is open to everybody, as firewall.sources says");
    },
    5 * minutes,
  );
});
