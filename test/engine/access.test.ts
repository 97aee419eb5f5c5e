import { copyFile, mkdtemp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { toolPath } from "../../render/tool.ts";
import { withAgent } from "../agent.ts";
import { type Config, engineLab, runnable } from "./engine-lab.ts";
import { snapshot } from "./snapshot.ts";

const hosts = ["lb1", "chatserver1", "chatserver2"];

describe.skipIf(!runnable)("who may look and change, and from where", () => {
  const { lab, host, said, stack, up, applied, noop, preview } = engineLab("access");

  test("the dev stack is up", () => applied(), 10 * minutes);

  test("a colleague with a key of his own sees no difference", () =>
    withAgent(async ({ socket, publicKey, load }) => {
      for (const each of hosts) await said(each, `echo '${publicKey}' >>~deploy/.ssh/authorized_keys`);
      await load();
      const environment = { SSH_AUTH_SOCK: socket };
      const { exitCode, output } = await (await stack()).pulumi(["up", "--yes", "--expect-no-changes"], {
        environment,
      });
      expect(exitCode, output).toBe(0);
    }));

  test("a colleague with a certificate instead of a known key sees no difference, and can change things", () =>
    withAgent(async ({ directory, socket, load }) => {
      const authority = join(directory, "authority");
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", authority]);
      await execa("ssh-keygen", ["-q", "-s", authority, "-I", "colleague", "-n", "deploy", join(directory, "key.pub")]);
      const trusted = await readFile(`${authority}.pub`, "utf8");
      for (const each of hosts)
        await said(
          each,
          `echo '${trusted.trim()}' >/etc/ssh/authority.pub
          echo 'TrustedUserCAKeys /etc/ssh/authority.pub' >/etc/ssh/sshd_config.d/authority.conf; systemctl reload ssh`,
        );
      await load();
      const environment = { SSH_AUTH_SOCK: socket };
      await said("chatserver1", "chmod 600 /usr/local/bin/updatesc.sh");
      const healed = await (await stack()).pulumi(["up", "--yes", "--skip-preview"], { environment });
      expect(healed.output).toContain("chatserver1-messenger updated");
      const { exitCode, output } = await (await stack()).pulumi(["up", "--yes", "--expect-no-changes"], {
        environment,
      });
      expect(exitCode, output).toBe(0);
    }));

  test("a preview can look with an account whose key may do nothing else", () =>
    withAgent(async ({ directory, socket, publicKey, load }) => {
      await load();
      const file = join(directory, "seen.json");
      const environment = { JTEL_CHAT_OBSERVE_USER: "observer", SSH_AUTH_SOCK: socket, JTEL_CHAT_SEEN: file };
      const forced = `restrict,command="sudo -n ${toolPath} observe" ${publicKey}`;
      for (const each of hosts) {
        await said(
          each,
          `useradd --create-home --shell /bin/sh observer && install -d -o observer ~observer/.ssh
          echo '${forced}' >~observer/.ssh/authorized_keys
          echo 'observer ALL=(root) NOPASSWD: ${toolPath} observe' >/etc/sudoers.d/observer; chmod 440 /etc/sudoers.d/observer`,
        );
      }
      await said("chatserver1", "chmod 600 /usr/local/bin/updatesc.sh");
      const { exitCode, output } = await preview(undefined, environment);
      expect(output).toContain("mode of /usr/local/bin/updatesc.sh: 0600");
      expect(output.match(/What this stack would apply was not checked there/g)).toHaveLength(1);
      expect(output).not.toMatch(/not seen|is an older one/);
      expect(exitCode).toBe(0);
      expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
        observer: "observer",
        approval: { refused: expect.stringMatching(/^observer has looked/) },
      });

      // Only what a version before the one that takes names has left out of its answer.
      const older = `#!/bin/sh\n/root/jtel-chatctl "$@" | sed "s/.tool.: .[0-9a-f]*., //"\n`;
      await said(
        "lb1",
        `cp -p ${toolPath} /root/; printf '${older}' >/root/older; install -m 755 /root/older ${toolPath}`,
      );
      expect((await preview(undefined, environment)).output).toMatch(
        /warning: lb1: its jtel-chatctl is an older one, .* take observer out of sudoers there/,
      );
      await said("lb1", `cp -p /root/jtel-chatctl ${toolPath}`);
      await applied();
    }));

  test("a secret does not travel to a host where sudo would keep it", async () => {
    await said("chatserver1", "echo 'Defaults log_input' >/etc/sudoers.d/00-log");
    const refused = await preview();
    expect(refused.output).toMatch(/chatserver1: sudo logs what deploy sends to jtel-chatctl \(log_input\)/);
    expect(refused.output).not.toMatch(/lb1: sudo logs/);
    expect(refused.exitCode).not.toBe(0);
    const [, remedy] = /Add '(Defaults!.*?)' to sudoers/.exec(refused.output) ?? [];
    await said("chatserver1", `echo '${remedy}' >>/etc/sudoers.d/00-log; visudo --check`);
    expect((await preview()).exitCode).toBe(0);
    await said("chatserver1", "rm -r /etc/sudoers.d/00-log /var/log/sudo-io");
  });

  test(
    "a host behind a jump host is seen and configured the same way",
    async () => {
      const behind = (config: Config) => {
        const [first] = config.chatServers as object[];
        const { address, hostKey } = host("lb1");
        Object.assign(first as object, { jump: { address, hostKey, user: "deploy" } });
      };
      expect(await applied(behind)).toContain("chatserver1-java updated");
      await noop(behind);
      await applied();
    },
    3 * minutes,
  );

  test(
    "an agent that the stack names has the key, for looking and applying alike",
    async () => {
      const named = (config: Config) => {
        config.ssh = { ...(config.ssh as object), agentSocket: lab().agentSocket };
        config.firewall = { sources: [lab().subnet] };
      };
      const environment = { SSH_AUTH_SOCK: "/nowhere" };
      const argv = ["up", "--yes", "--skip-preview"];
      const { exitCode, output } = await (await stack(named)).pulumi(argv, { environment });
      expect(exitCode, output).toBe(0);
      expect(output).toContain("chatserver1-firewall updated");
      await applied();
    },
    3 * minutes,
  );

  test("a preview with a host that is off warns and shows the rest; up refuses", async () => {
    await said("lb1", "iptables -I INPUT -p tcp --dport 22 -j DROP");
    const preview = await (await stack()).pulumi(["preview", "--expect-no-changes"]);
    expect(preview.output).toMatch(/warning: lb1: not reachable/);
    expect(preview.exitCode).toBe(0);
    expect((await up()).output).toMatch(/lb1: not reachable/);
    await said("lb1", "iptables -D INPUT -p tcp --dport 22 -j DROP");
    await noop();
  });

  const everywhere = async (script: string) => Promise.all(hosts.map((each) => said(each, script)));

  test("another state is refused before anything is written, also under the same name, and hears whose the hosts are", async () => {
    const { environment, pulumi } = await stack();
    const directory = await mkdtemp(join(lab().directory, "elsewhere-"));
    const backend = { PULUMI_BACKEND_URL: `file://${directory}` };
    await copyFile("Pulumi.yaml", join(directory, "Pulumi.yaml"));
    await execa("pulumi", ["-C", directory, "stack", "init", "dev"], { env: { ...environment, ...backend } });
    const before = await Promise.all(hosts.map((each) => snapshot(host(each))));
    const { exitCode, output } = await pulumi(["up", "--yes", "--skip-preview"], { environment: backend });
    for (const each of hosts)
      expect(output).toMatch(
        new RegExp(
          `${each}: this host belongs to jtel-chat/dev \\(state [0-9a-f]{8}\\), not to jtel-chat/dev \\(.* sudo jtel-chatctl adopt jtel-chat/dev\\.`,
        ),
      );
    expect(exitCode).not.toBe(0);
    expect(await Promise.all(hosts.map((each) => snapshot(host(each))))).toEqual(before);
  });

  test(
    "a renamed stack stays the owner, and changes nothing but its name there",
    async () => {
      const { environment, file } = await stack();
      const directory = dirname(file);
      await execa("pulumi", ["-C", directory, "stack", "rename", "acme", "--stack", "dev"], { env: environment });
      const renamed = join(directory, "Pulumi.acme.yaml");
      const env = { ...environment, JTEL_CHAT_STACK_FILE: renamed };
      const acme = async (...argv: string[]) => {
        const all = ["up", "--yes", "--non-interactive", "--stack", "acme", "--config-file", renamed, ...argv];
        return (await execa("pulumi", all, { env })).stdout;
      };
      const processes = "systemctl show --value --property=MainPID jtel-clientmessenger haproxy";
      const before = await everywhere(processes);
      const output = await acme("--diff");
      expect(output).toMatch(/-\s+jtel-chat\/dev (\S+)\n\s+\+\s+jtel-chat\/acme \1\n/);
      expect(output).toMatch(/Resources:\n\s+~ 3 updated\n/);
      expect(output).not.toContain("changed on the host");
      await acme("--skip-preview", "--expect-no-changes");
      expect(await everywhere(processes)).toEqual(before);
    },
    3 * minutes,
  );
});
