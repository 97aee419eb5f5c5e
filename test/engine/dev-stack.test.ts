import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { minutes } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { releaseFolder } from "../../render/client-messenger/places.ts";
import { readWebhooks } from "../../tyntec/api/application.ts";
import { callbacks, type Webhook } from "../../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { type Change, engineLab, runnable } from "./engine-lab.ts";
import { procedureHolds } from "./procedure.ts";
import { snapshot } from "./snapshot.ts";

const configured = ["lb1", "chatserver1", "chatserver2"];

describe.skipIf(!runnable)("the dev stack on booted hosts", () => {
  const engine = engineLab("engine", { java: false });
  const { lab, host, said, stack, up, applied, noop, preview } = engine;

  let asItWas: Record<string, string>;
  let webhooksBefore: Webhook[];
  const webhooks = () => readWebhooks({ ...lab().tyntec, caFile: lab().caFile });
  const ours = () => callbacks(chatWebhooks(`https://${lab().portal}`));

  /** What destroy must give back: file contents, ufw's rules, the folders of ours that were not there. */
  const customers = async (): Promise<Record<string, string>> => {
    const script = `
      cat /etc/haproxy/haproxy.cfg 2>/dev/null
      stat -c '%n %a %U' /etc/haproxy/haproxy.cfg 2>/dev/null
      grep tuple /etc/ufw/user.rules /etc/ufw/user6.rules
      find /etc/systemd/system /usr/local/bin /usr/local/sbin /home/jtel /acd-store /etc/jtel-chat -xdev -not -path '*/.cache*' 2>/dev/null | sort`;
    const entries = configured.map(async (name) => [name, await said(name, script)]);
    return Object.fromEntries(await Promise.all(entries));
  };

  const everyHost = () => Promise.all(configured.map((each) => snapshot(host(each))));

  describe("before anything is written", () => {
    /** Each case: what is broken, a line of the error, and how it is repaired. */
    const failing = async (change: Change, line: RegExp): Promise<void> => {
      const before = await everyHost();
      const { exitCode, output } = await up(change);
      expect(exitCode).not.toBe(0);
      expect(output.split("\n").map((each) => each.trim())).toContainEqual(expect.stringMatching(line));
      expect(await everyHost()).toEqual(before);
    };

    test("every problem of the stack file is named at once, and no host is asked", async () => {
      const { exitCode, output } = await up((config) => {
        config.topology = "cloud";
        config.public = { scheme: "gopher", host: "chat.lab.example" };
        config.databse = {};
      });
      expect(exitCode).not.toBe(0);
      expect(output).toContain('Pulumi.dev.yaml: jtel-chat:topology: "cloud" is not a topology');
      expect(output).toContain("Pulumi.dev.yaml: jtel-chat:public.scheme:");
      expect(output).toContain("Pulumi.dev.yaml: jtel-chat:databse: is unknown");
    });

    test("a secret in plain text is refused", async () => {
      const { file } = await stack();
      const kept = await readFile(file);
      const { exitCode, output } = await up((config) => {
        config.tyntec = { ...(config.tyntec as object), apiKey: "plain" };
      });
      await writeFile(file, kept);
      expect(exitCode).not.toBe(0);
      expect(output).toContain("jtel-chat:tyntec.apiKey: stands there in plain text");
    });

    test("another host key is refused", () =>
      failing((config) => {
        const [first, second] = config.chatServers as { hostKey: string }[];
        Object.assign(first as object, { hostKey: second?.hostKey });
      }, /^chatserver1: its host key is not the pinned one\. Compare/));

    test("a host that is off is named, and the others stay as they are", () =>
      failing((config) => {
        const [balancer] = config.loadBalancers as object[];
        Object.assign(balancer as object, { address: lab().subnet.replace(/\.0\/.*/, ".99") });
      }, /^lb1: not reachable on .* Is it up/));

    test("a missing sudo right is named", async () => {
      await host("chatserver2").exec("mv /etc/sudoers.d/deploy /root/deploy");
      await failing(() => {}, /^chatserver2: deploy may not run sudo without a password there\. Add/);
      await host("chatserver2").exec("mv /root/deploy /etc/sudoers.d/deploy");
    });

    test("an unmounted share and a missing certificate are named together", async () => {
      await host("chatserver1").exec("umount /home/jtel/shared");
      await host("lb1").exec("mv /etc/haproxy/haproxy.pem /root/");
      await failing(() => {}, /^chatserver1: the share is not mounted at \/home\/jtel\/shared\. Mount it/);
      await failing(() => {}, /^lb1: the certificate \/etc\/haproxy\/haproxy\.pem is missing\. Put/);
      await host("chatserver1").exec("mount /home/jtel/shared");
      await host("lb1").exec("mv /root/haproxy.pem /etc/haproxy/");
    });

    test("a Hazelcast configuration without the chat structures is shown with the lines to add", async () => {
      const file = "/home/jtel/shared/hazelcast.xml";
      await host("chatserver1").exec(`cp ${file} ${file}.kept; sed -i 's/"CHAT"/"OTHER"/' ${file}`);
      await failing(() => {}, /^chatserver2: .*hazelcast\.xml: it has no <ringbuffer name="CHAT">.* Add <ringbuffer/);
      await host("chatserver1").exec(`mv ${file}.kept ${file}`);
    });

    test("a TynTec API that is not reachable is named, and no host is touched", () =>
      failing((config) => {
        config.tyntec = { ...(config.tyntec as object), url: `https://${lab().controllerAddress}:9/chat-api/v2` };
      }, /^TynTec: .* is not reachable .* Is tyntec\.url right/));
  });

  test("what belongs to the customer is noted", async () => {
    asItWas = await customers();
    webhooksBefore = await webhooks();
    expect(asItWas.lb1).toContain("acdportal_https");
  });

  test(
    "up configures every host, and a chat crosses them",
    async () => {
      const { exitCode, output } = await up();
      expect(output).toContain("chatserver2-messenger-running created");
      expect(exitCode).toBe(0);
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
      expect(callbacks(await webhooks())).toEqual(new Map([...callbacks(webhooksBefore), ...ours()]));
    },
    10 * minutes,
  );

  const roles = { chatServers: ["chatserver1", "chatserver2"], loadBalancers: ["lb1"] };
  procedureHolds("separate-server", engine, roles);

  test("every URL that the portal is told answers, or is named with the reason", async () => {
    const { environment } = await stack();
    const env = { ...environment, NODE_EXTRA_CA_CERTS: lab().caFile };
    const tried = (address: string) =>
      execa("node", ["cli/portal.ts", "--stack", "dev", "--connect", address], { env, reject: false });
    const { stdout, exitCode } = await tried(host("lb1").address);
    expect(stdout.match(/ answers \|$/gm), stdout).toHaveLength(5);
    expect(exitCode).toBe(0);
    const elsewhere = await tried(lab().controllerAddress);
    expect(elsewhere.stdout).toMatch(/ACD\.Chat\.Script\.Library\.URL \| .* \| .*ECONNREFUSED/);
    expect(elsewhere.exitCode).toBe(1);
  });

  test("the password is in no command line, journal, unit, world-readable file or plain state", async () => {
    const words = [lab().database.password, encodeURIComponent(lab().database.password)];
    const looked = await host("chatserver1").exec(
      `ps axww; journalctl --no-pager; systemctl show jtel-clientmessenger; systemctl cat jtel-clientmessenger; cat /var/lib/jtel-chat/steps/*`,
    );
    const { output } = await (await stack()).pulumi(["stack", "export"]);
    for (const word of words) expect(looked.stdout + output).not.toContain(word);
    const { stdout } = await host("chatserver1").exec("stat -c '%a %U' /etc/jtel-chat/clientmessenger.args");
    expect(stdout.trim()).toBe("600 root");
  });

  test("the vendor's update script works, and what it did is not drift", async () => {
    const { exitCode, stderr } = await host("chatserver1").exec(
      "updatesc.sh && systemctl is-active jtel-clientmessenger",
    );
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    await noop();
  });

  test("a server that was updated alone is named in the preview", async () => {
    const version = `/home/jtel/shared/${releaseFolder}/bin/version.txt`;
    await said("chatserver1", `echo two > ${version} && updatesc.sh`);
    const { output } = await preview();
    expect(output).toMatch(
      /not the same everywhere, release in .*: chatserver1 [0-9a-f]{16}, chatserver2 [0-9a-f]{16}/,
    );
    await said("chatserver1", `rm ${version} && updatesc.sh`);
    await noop();
  });

  test("a second up makes no change: files, rules and processes are identical", async () => {
    const before = await everyHost();
    const { exitCode, output } = await up(() => {}, ["--expect-no-changes"]);
    expect(output).toMatch(/\d+ unchanged/);
    expect(exitCode).toBe(0);
    expect(await everyHost()).toEqual(before);
  });

  test(
    "a rebuilt host is configured again, and the others are left alone",
    async () => {
      const before = await snapshot(host("lb1"));
      await host("chatserver2").rebuild();
      const { exitCode, output } = await up();
      expect(output).toContain("chatserver2-java updated");
      expect(exitCode).toBe(0);
      expect(await snapshot(host("lb1"))).toBe(before);
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
      await noop();
    },
    10 * minutes,
  );

  test("a release that does not start is taken back with everything that came with it, and chat goes on", async () => {
    const vendor = "/home/jtel/shared/JTELCarrierPortal/Utils/Install/ClientMessenger/bin";
    await host("chatserver1").exec(
      `mv ${vendor}/clientmessenger.jar ${vendor}/kept; echo broken > ${vendor}/clientmessenger.jar`,
    );
    const follow: Change = (config) => {
      config.clientMessenger = { release: "follow" };
    };
    const installed = "cat /home/jtel/ClientMessenger/bin/clientmessenger.jar | sha256sum; jtel-chatctl log --json";
    const second = await host("chatserver2").exec(installed);
    const broken = await up(follow);
    expect(broken.output).toMatch(/Put back with it: messenger\b/);
    expect(broken.exitCode).not.toBe(0);
    expect(await host("chatserver2").exec(installed), "the second server is left as it was").toEqual(second);
    expect(await proveChat(lab())).toMatchObject({ portal: 200 });
    await host("chatserver1").exec(`mv ${vendor}/kept ${vendor}/clientmessenger.jar`);
    await applied(follow);
    await noop(follow);
    await applied();
  });

  test(
    "with its state lost, one command gives each host to the new state, which adopts what it finds and restarts no process",
    async () => {
      const names = ["lb1", "chatserver1", "chatserver2"];
      const everywhere = (script: string) => Promise.all(names.map((each) => said(each, script)));
      const running = "systemctl show --value --property=MainPID jtel-clientmessenger haproxy";
      const before = await everywhere(running);
      const { exitCode, output } = await (await stack()).pulumi(["state", "delete", "--all", "--force", "--yes"]);
      expect(exitCode, output).toBe(0);
      const refused = await up();
      const [, command] = /lb1: this host belongs to jtel-chat.*run there: (.*?)\. /.exec(refused.output) ?? [];
      expect(command, refused.output).toBe("sudo jtel-chatctl adopt jtel-chat/dev");
      await everywhere(command as string);
      const adopted = await up();
      expect(adopted.output).toMatch(/in place of jtel-chat\/dev \(state [0-9a-f]{8}\): the next up owns it/);
      expect(adopted.output).toContain("chatserver1-messenger-running created");
      await noop();
      expect(await everywhere(running)).toEqual(before);
      expect(await everywhere("jtel-chatctl check")).toEqual(names.map(() => "everything is as it was applied"));
    },
    3 * minutes,
  );

  test("destroy gives everything back as it was, also where the host tool is gone, and keeps what was edited since", async () => {
    await host("lb1").exec(
      "sed -i 's/^# portal/# the portal/; 1s/^/# edited by the customer\\n/' /etc/haproxy/haproxy.cfg",
    );
    await said("chatserver2", "rm /usr/local/sbin/jtel-chatctl");
    const { exitCode, output } = await (await stack()).pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(output).toContain(`${javaOf(lab().release).package} stays installed`);
    expect(exitCode).toBe(0);
    const now = await customers();
    expect(now.lb1).toContain("# edited by the customer\n");
    expect({ ...now, lb1: now.lb1?.replace("# edited by the customer\n", "") }).toEqual(asItWas);
    expect(output).toContain("cannot unset an event");
    expect(callbacks(await webhooks())).toEqual(new Map([...callbacks(webhooksBefore), ...ours()]));
    const { stdout } = await host("chatserver1").exec(
      "ls -A /usr/local/sbin /var/lib/jtel-chat 2>&1; systemctl is-enabled jtel-clientmessenger 2>&1",
    );
    expect(stdout).not.toContain("jtel-chatctl");
    expect(stdout).not.toContain("enabled");
  });
});
