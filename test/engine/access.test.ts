import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { until } from "../../lab/deadline.ts";
import { type Config, engineLab, runnable } from "./engine-lab.ts";

const minutes = 60_000;
const hosts = ["lb1", "chatserver1", "chatserver2"];

/** An ssh agent of somebody else, with a key of his own; what runs meanwhile gets its socket. */
const withAgent = async (
  work: (agent: { directory: string; socket: string; load: () => Promise<void> }) => Promise<void>,
) => {
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-agent-"));
  const socket = join(directory, "agent");
  const agent = execa("ssh-agent", ["-D", "-a", socket], { reject: false });
  try {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
    const load = async () => {
      await until("the agent", 10, () =>
        execa("ssh-add", ["-q", join(directory, "key")], { env: { SSH_AUTH_SOCK: socket } }),
      );
    };
    await work({ directory, socket, load });
  } finally {
    agent.kill();
    await agent;
    await rm(directory, { recursive: true });
  }
};

describe.skipIf(!runnable)("who may look and change, and from where", () => {
  const { host, said, stack, up, applied, noop, preview } = engineLab("access");

  test("the dev stack is up", () => applied(), 10 * minutes);

  test("a colleague with a key of his own sees no difference", () =>
    withAgent(async ({ directory, socket, load }) => {
      const key = await readFile(join(directory, "key.pub"), "utf8");
      for (const each of hosts) await said(each, `echo '${key.trim()}' >>~deploy/.ssh/authorized_keys`);
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

  test("a preview can look with an account that may do nothing else", async () => {
    for (const each of ["lb1", "chatserver1", "chatserver2"]) {
      await said(
        each,
        `useradd --create-home --shell /bin/sh observer && cp -r ~deploy/.ssh ~observer/ && chown -R observer ~observer/.ssh
        printf 'observer ALL=(root) NOPASSWD: /usr/local/sbin/jtel-chatctl observe\\n' > /etc/sudoers.d/observer`,
      );
    }
    await said("chatserver1", "chmod 600 /usr/local/bin/updatesc.sh");
    const { exitCode, output } = await preview(undefined, { JTEL_CHAT_OBSERVE_USER: "observer" });
    expect(output).toContain("mode of /usr/local/bin/updatesc.sh: 0600");
    expect(output).not.toContain("not seen");
    expect(exitCode).toBe(0);
    const refused = await host("lb1").exec("sudo -n /usr/local/sbin/jtel-chatctl undo haproxy", { user: "observer" });
    expect(refused.exitCode).not.toBe(0);
    await applied();
  });

  test("a host behind a jump host is seen and configured the same way", async () => {
    const behind = (config: Config) => {
      const [first] = config.chatServers as object[];
      const { address, hostKey } = host("lb1");
      Object.assign(first as object, { jump: { address, hostKey, user: "deploy" } });
    };
    expect(await applied(behind)).toContain("chatserver1-java updated");
    await noop(behind);
    await applied();
  });

  test("a preview with a host that is off warns and shows the rest; up refuses", async () => {
    await said("lb1", "iptables -I INPUT -p tcp --dport 22 -j DROP");
    const preview = await (await stack()).pulumi(["preview", "--expect-no-changes"]);
    expect(preview.output).toMatch(/warning: lb1: not reachable/);
    expect(preview.exitCode).toBe(0);
    expect((await up()).output).toMatch(/lb1: not reachable/);
    await said("lb1", "iptables -D INPUT -p tcp --dport 22 -j DROP");
    await noop();
  });

  test("a second stack on the same hosts is refused, naming the owner", async () => {
    await said("lb1", "echo jtel-chat/other > /var/lib/jtel-chat/owner");
    const { exitCode, output } = await up();
    expect(output).toMatch(/lb1: \/var\/lib\/jtel-chat\/owner says 'jtel-chat\/other': a host belongs to one stack/);
    expect(exitCode).not.toBe(0);
    await said("lb1", "echo jtel-chat/dev > /var/lib/jtel-chat/owner");
  });
});
