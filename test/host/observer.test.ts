import { writeFile } from "node:fs/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyCommand } from "../../hosts/launcher.ts";
import { understood } from "../../hosts/look/answer.ts";
import { lookCommand, observeCommand } from "../../hosts/look/look-command.ts";
import { runAsRoot } from "../../hosts/run-as-root.ts";
import { ssh, sshArguments } from "../../hosts/ssh/ssh.ts";
import { withTool } from "../../hosts/tool-text.ts";
import { until } from "../../lab/deadline.ts";
import { accountsScript, withoutAccountsScript } from "../../render/accounts.ts";
import { document } from "../../render/document.ts";
import { toolPath } from "../../render/tool.ts";
import { type Agent, withAgent } from "../agent.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";

const runnable = await bootable("an observer on a booted host");

const { lab, host, run, applied } = bench({ name: "observer", on: "chatserver1" });
const file = "/etc/apt/sources.list.d/jtel-chat-java.list";
let observer: Agent;
let ended: () => void;
let agentEnded: Promise<void>;

const target = (user: string) => ({
  name: "chatserver1",
  address: host().address,
  port: 22,
  user,
  hostKey: host().hostKey,
});

/** Over ssh with the key whose command is forced, as a preview does it. */
const asked = async (request: unknown, command = observeCommand) => {
  process.env.SSH_AUTH_SOCK = observer.socket;
  return ssh(target("observer"), command, typeof request === "string" ? request : `${JSON.stringify(request)}\n`);
};

const observe = async (user = "observer") => {
  process.env.SSH_AUTH_SOCK = observer.socket;
  const result = await ssh(target(user), observeCommand, '{"steps": {"trial": null}}\n');
  return understood(target(user), result, [{ host: target(user), step: "trial", document: undefined }]);
};

const knownHosts = () => `${observer.directory}/known_hosts`;

/** The system's ssh with further options, as somebody would try it who has the observer's key. */
const client = async (options: string[], argv: string[] = []) => {
  const common = sshArguments(target("observer"), knownHosts()).filter((word) => word !== "-T");
  const { stdout, stderr, exitCode } = await execa("ssh", [...options, ...common, ...argv], {
    env: { SSH_AUTH_SOCK: observer.socket, DISPLAY: "127.0.0.1:9" },
    input: "{}\n",
    reject: false,
  });
  return { stdout, stderr, exitCode: exitCode ?? 255 };
};

/** A look that waits for its request, so that there is time to see what its session has. */
const waitingLook = async (user: string, options: string[] = []) => {
  const session = execa("ssh", [...options, ...sshArguments(target(user), knownHosts()), observeCommand], {
    env: { SSH_AUTH_SOCK: observer.socket },
    stdin: "pipe",
    reject: false,
  });
  const scopes = "systemctl list-units --plain --no-legend 'jtel-chat-look-*.scope' | grep running";
  await until("the look", 20, async () => (await host().exec(scopes)).stdout || undefined);
  return { session }; // alone it would be awaited by who awaits us
};

/** Documents that did something as root, or showed something of root's, when `observe` took them. */
const attacks = {
  "Lua that HAProxy's checker runs":
    "# haproxy: /etc/haproxy/haproxy.cfg\nsections:\n\tglobal\n\t\tlua-load /tmp/evil.lua\ncertificate: /tmp/evil.pem\n",
  "a checker of one's own":
    "# files: /etc/trial.xml\ncontent:\n\tx\nowner: root:root\ncheck: hazelcast\njars:\n\t/tmp\nchecker:\n\tclass Evil {}\n",
  "another's file": "# files: /etc/shadow\ncontent:\n\tx\nexclusive: a host belongs to one stack\n",
};

describe.skipIf(!runnable)("who calls the host tool", () => {
  beforeAll(async () => {
    const ready = Promise.withResolvers<Agent>();
    const over = Promise.withResolvers<void>();
    ended = over.resolve;
    agentEnded = withAgent(async (agent) => {
      await agent.load();
      ready.resolve(agent);
      await over.promise;
    });
    observer = await ready.promise;
    await writeFile(knownHosts(), `target ${host().hostKey}\n`);
    // Another account is what earlier versions advised: the same line, and a key that may do everything.
    await run(`
      for user in observer earlier; do
        useradd --create-home --shell /bin/sh $user; install -d -o $user -m 700 /home/$user/.ssh
      done
      echo 'restrict,command="sudo -n ${toolPath} observe" ${observer.publicKey}' >/home/observer/.ssh/authorized_keys
      echo '${observer.publicKey}' >/home/earlier/.ssh/authorized_keys
      echo 'observer ALL=(root) NOPASSWD: ${toolPath} observe' >/etc/sudoers.d/observer
      echo 'earlier ALL=(root) NOPASSWD: ${toolPath} observe' >/etc/sudoers.d/earlier
      chmod 440 /etc/sudoers.d/*; visudo --check
      printf 'os.execute("touch /tmp/owned")' >/tmp/evil.lua; touch /tmp/evil.pem`);
    await applied("trial", document({ kind: "files", name: file, fields: { content: "as applied\n" } }));
  });

  afterAll(async () => {
    ended?.();
    await agentEnded;
  });

  test("the accounts are set up with a person's sudo password, twice without a difference, and taken back", async () => {
    process.env.SSH_AUTH_SOCK = observer.socket;
    const password = "pa ss'w\\rd";
    const key = observer.publicKey;
    await run(`useradd --create-home --shell /bin/sh admin; install -d -o admin -m 700 /home/admin/.ssh
      echo '${key}' >/home/admin/.ssh/authorized_keys; printf '%s' "admin:pa ss'w\\\\rd" | chpasswd
      echo 'admin ALL=(ALL) ALL' >/etc/sudoers.d/admin; useradd --create-home watcher
      install -d -o watcher -m 700 /home/watcher/.ssh; printf 'ssh-rsa old' >/home/watcher/.ssh/authorized_keys; chown watcher /home/watcher/.ssh/authorized_keys`);
    const accounts = { deploy: { user: "applier", key }, observer: { user: "watcher", key } };
    expect(await runAsRoot(target("admin"), accountsScript(accounts), "wrong")).toContain(
      "does not take this password",
    );
    expect(await runAsRoot(target("admin"), accountsScript(accounts), password)).toBeUndefined();
    const written = "cat /etc/sudoers.d/jtel-chat ~applier/.ssh/authorized_keys ~watcher/.ssh/authorized_keys";
    const once = await run(written);
    expect(once).toContain(`ssh-rsa old\nrestrict,command="sudo -n ${toolPath} observe" ${key} jtel-chat`);
    expect((await ssh(target("applier"), "sudo -n id -u", "")).stdout.trim()).toBe("0");
    expect((await observe("watcher")).answer).toBeDefined();
    expect(await run("sudo -u watcher sudo -n id -u 2>&1 || true")).toContain("password is required");
    expect(await runAsRoot(target("admin"), accountsScript(accounts), password)).toBeUndefined();
    expect(await run(written)).toBe(once);

    expect(await runAsRoot(target("admin"), withoutAccountsScript(accounts), password)).toBeUndefined();
    expect(await run("ls /etc/sudoers.d; id applier 2>&1 || true; cat ~watcher/.ssh/authorized_keys")).toMatch(
      /^(?!.*jtel-chat).*no such user\nssh-rsa old$/s,
    );
    expect(await run("journalctl --no-pager | grep -cF 'pa ss' || true")).toBe("0");
    await run("userdel --remove admin; userdel --remove watcher; rm /etc/sudoers.d/admin");
  });

  describe("an account that may only observe", () => {
    test.each(["observer", "earlier"])("sees what has changed since it was applied: %s", async (user) => {
      expect((await observe(user)).answer?.steps.trial).toMatchObject({ generation: 1, drifted: false, diff: "" });
      await run(`echo 'by hand' >${file}`);
      expect((await observe(user)).answer?.steps.trial).toMatchObject({
        generation: 2,
        drifted: true,
        diff: expect.stringContaining("+by hand"),
      });
      await run(`echo 'as applied' >${file}`);
    });

    test("is answered by a tool that says which one it is", async () => {
      const [digest] = (await run(`sha256sum ${toolPath}`)).split(" ");
      expect((await observe()).answer?.tool).toBe(digest);
    });

    test.each(Object.entries(attacks))("cannot send %s", async (_, text) => {
      const shadow = await run("sha256sum /etc/shadow; ls -l /etc/shadow");
      for (const user of ["observer", "earlier"]) {
        process.env.SSH_AUTH_SOCK = observer.socket;
        const { stdout, stderr, exitCode } = await ssh(
          target(user),
          observeCommand,
          `${JSON.stringify({ steps: { trial: text } })}\n`,
        );
        expect(exitCode).toBe(2);
        expect(stderr).toMatch(/^chatserver1: 'observe' takes names of steps only, no documents/);
        expect(stdout + stderr).not.toMatch(/root:|\$y\$|Evil/);
      }
      expect(await run("sha256sum /etc/shadow; ls -l /etc/shadow")).toBe(shadow);
      expect(await run("ls -d /tmp/owned /etc/trial.xml 2>/dev/null || true")).toBe("");
    });

    test("cannot have a record of its own read: names are names", async () => {
      await run(`cp /var/lib/jtel-chat/steps/trial.json /tmp/evil.json; chmod 644 /tmp/evil.json`);
      const { exitCode, stderr } = await asked({ steps: { "../../../../tmp/evil": null } });
      expect(stderr).toContain("is no name for a step");
      expect(exitCode).toBe(2);
    });

    test.each([
      ...["look", "status", "undo trial", "apply trial 1 x", "release-lock"],
      ...["observe --all", "observe observe", `observe ""`, "", "'observe '"],
    ])("cannot call jtel-chatctl %s: sudo compares the whole list of arguments", async (words) => {
      const input = '{"steps": {"trial": "# files: /etc/x\\ncontent:\\n\\tx\\n"}}\n';
      for (const user of ["observer", "earlier"]) {
        const { stdout, stderr, exitCode } = await host().exec(`sudo -n ${toolPath} ${words}`, { user, input });
        expect([stdout, stderr.trim(), exitCode]).toEqual(["", "sudo: a password is required", 1]);
      }
    });

    test("could pass no argument even if a line let it", async () => {
      expect(await host().exec(`${toolPath} observe --all`, { input: "{}" })).toMatchObject({
        stdout: "",
        stderr: expect.stringContaining("'observe' takes no arguments"),
        exitCode: 2,
      });
    });

    test.each([
      ...["id", "sh -c id", "cat /etc/passwd", "sudo -n -l", ""].map((command) => [command, command]),
      ["the look of an up", lookCommand("0")],
    ])("gets an answer about what was applied, whatever it asks the key to run: %s", async (_, command) => {
      const { stdout } = await asked({}, command);
      expect(JSON.parse(stdout.slice(stdout.indexOf("{"))).steps).toHaveProperty("trial");
      expect(stdout).not.toMatch(/uid=|root:/);
    });

    test("gets no terminal, and its key carries nothing but that one command", async () => {
      const terminal = await client(["-tt"]);
      expect(terminal.stderr).toContain("PTY allocation request failed");
      const through = await client(["-W", "127.0.0.1:22"]);
      expect(through.stderr).toContain("administratively prohibited");
      expect(through.stdout).not.toContain("SSH-2.0");
      const remote = await client(["-R", "9999:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"]);
      expect(remote.stderr).toContain("remote port forwarding failed");
      expect(remote.exitCode).toBe(255);
      const screen = await client(["-Y", "-v"]);
      expect(screen.stderr).toMatch(/X11 forwarding request failed/);
      const transfer = await client(["-s"], ["sftp"]);
      expect(transfer.stdout).toContain('"trial"'); // the forced command again, which speaks no sftp
    });

    test("brings no agent along", async () => {
      const agents = async (user: string): Promise<string> => {
        const { session } = await waitingLook(user, ["-A"]);
        const { stdout } = await host().exec("find /tmp -name 'agent.*' -path '/tmp/ssh-*'");
        session.stdin.end("{}\n");
        expect((await session).exitCode).toBe(0);
        return stdout;
      };
      expect(await agents("observer")).toBe("");
      expect(await agents("earlier"), "without restrict there is one").not.toBe("");
    });

    test("looks within limits, which end a look that does not end", async () => {
      const { session } = await waitingLook("observer");
      const properties = await run("systemctl show 'jtel-chat-look-*.scope'");
      expect(properties).toMatch(/^RuntimeMaxUSec=3min$/m);
      expect(properties).toMatch(/^MemoryMax=1073741824$/m);
      expect(properties).toMatch(/^TasksMax=256$/m);
      await run("systemctl stop 'jtel-chat-look-*.scope'"); // what RuntimeMaxSec does when it is over
      const { stderr, exitCode } = await session;
      expect(stderr).toMatch(/^chatserver1: the look was ended: it took longer than 180 s/);
      expect(exitCode).toBe(3);
      expect(await run("systemctl list-units --all --plain --no-legend 'jtel-chat-look-*'")).toBe("");
    });
  });

  test.each([lookCommand("0"), `sudo -n ${toolPath} look`])(
    "a look imports nothing from the folder or the variables of its caller: %#",
    async (command) => {
      const here = 'mkdir -p /tmp/here; echo \'open("/tmp/owned", "w")\' | tee /tmp/here/json.py >/tmp/here/re.py';
      const called = `${here}; cd /tmp/here; export PYTHONPATH=/tmp/here; ${command}`;
      const { text, more } = withTool('{"steps": {"trial": null}}\n', "look", false);
      const { stdout } = await host().exec(called, { user: "deploy", input: `${await text}${more?.text}` });
      expect(stdout).toContain('"trial": {"generation": 1');
      expect((await host().exec("ls /tmp/owned")).exitCode).not.toBe(0);
    },
  );

  describe("where a call comes from", () => {
    const over = async (script: string) => {
      process.env.SSH_AUTH_SOCK = lab().agentSocket;
      const { stdout, stderr, exitCode } = await ssh(target("deploy"), script, "");
      expect(exitCode, stderr).toBe(0);
      return stdout.trim();
    };
    const forged =
      "SSH_CONNECTION='203.0.113.9 1 203.0.113.9 22' JTEL_CHAT_CONNECTION='203.0.113.9 1 203.0.113.9 22' JTEL_CHAT_BY=somebody";

    test("is what sshd says, not a variable", async () => {
      const text = document({ kind: "files", name: file, fields: { content: "x\n" } });
      process.env.SSH_AUTH_SOCK = lab().agentSocket;
      const launch = applyCommand("trial", { generation: 1, reason: "trial" });
      await ssh(target("deploy"), `export ${forged}; ${launch}`, text);
      await over(`env ${forged} sudo env ${forged} ${toolPath} undo other`);
      const [applied, undone] = (await run(`${toolPath} log --json`))
        .split("\n")
        .slice(-2)
        .map((line) => JSON.parse(line));
      expect([applied.by, applied.from]).toEqual(["deploy", lab().controllerAddress]);
      expect([undone.by, undone.from]).toEqual(["deploy", lab().controllerAddress]);
      await run(`env ${forged} ${toolPath} undo other`);
      expect(await run(`${toolPath} log --json | tail -1`)).toContain('"from": "this host"');
    });

    test("is what confirms a firewall on trial: a session from before does not, whatever it says", async () => {
      const trial = "/var/lib/jtel-chat/firewall-trial";
      const seen = await over(`
      set -- $SSH_CONNECTION
      echo "{\\"limit\\": \\"30min\\", \\"before\\": [\\"$1 $2\\"]}" | sudo tee ${trial} >/dev/null
      env ${forged} sudo env ${forged} ${toolPath} status >/dev/null
      sudo ls ${trial}`);
      expect(seen).toBe(trial);
      await over(`sudo ${toolPath} status`);
      expect((await host().exec(`ls ${trial}`)).exitCode).not.toBe(0);
      expect(await run(`${toolPath} log`)).toContain(
        `ufw stays on: ssh still gets in, from ${lab().controllerAddress}`,
      );
    });
  });
});
