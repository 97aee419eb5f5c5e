import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { proveChat } from "../../lab/chat.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { labObstacle } from "../../lab/requirements.ts";
import { labStack, type PulumiResult } from "../../lab/stack.ts";
import { callbacks, differences, webhooks } from "../../render/tyntec.ts";
import { readWebhooks } from "../../tyntec/api.ts";
import { snapshot } from "./snapshot.ts";

const obstacle = await labObstacle();
const runnable = !obstacle || process.env.CI === "true";
if (!runnable) console.warn(`SKIPPED: the engine on booted hosts – ${obstacle}`);

const minutes = 60_000;
const name = `engine-${process.pid}`;
let lab: Lab;

type Config = Record<string, unknown>;

/** `pulumi up` on the lab, with a stack file that differs from the dev stack's by `change`. */
const up = async (change: (config: Config) => void = () => {}, argv: string[] = []): Promise<PulumiResult> =>
  (await labStack(lab, change)).pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", ...argv]);

const host = (hostName: string): LabHost => lab.hosts[hostName] as LabHost;

const everyHost = () => Promise.all(["lb1", "chatserver1", "chatserver2"].map((each) => snapshot(lab.hosts[each])));

describe.skipIf(!runnable)("the dev stack on booted hosts", () => {
  beforeAll(async () => {
    lab = await upLab(name, { temporary: true });
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  describe("before anything is written", () => {
    /** Each case: what is broken, a line of the error, and how it is repaired. */
    const failing = async (change: (config: Config) => void, line: RegExp): Promise<void> => {
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
      const { file } = await labStack(lab);
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
        Object.assign(balancer as object, { address: lab.subnet.replace(/\.0\/.*/, ".99") });
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
        config.tyntec = { ...(config.tyntec as object), url: `https://${lab.controllerAddress}:9/chat-api/v2` };
      }, /^TynTec: .* is not reachable .* Is tyntec\.url right/));
  });

  test(
    "up configures every host, and a chat crosses them",
    async () => {
      const { exitCode, output } = await up();
      expect(output).toContain("chatserver2-messenger-running created");
      expect(exitCode).toBe(0);
      expect(await proveChat(lab)).toMatchObject({ portal: 200 });
      const present = await readWebhooks({ ...lab.tyntec, caFile: lab.caFile });
      expect(differences(present, webhooks(`https://${lab.portal}`))).toEqual([]);
      expect(callbacks(present).size).toBeGreaterThan(callbacks(webhooks(`https://${lab.portal}`)).size);
    },
    10 * minutes,
  );

  test("the password is in no command line, journal, unit, world-readable file or plain state", async () => {
    const words = [lab.database.password, encodeURIComponent(lab.database.password)];
    const looked = await host("chatserver1").exec(
      `ps axww; journalctl --no-pager; systemctl show jtel-clientmessenger; systemctl cat jtel-clientmessenger; cat /var/lib/jtel-chat/steps/*`,
    );
    const { output } = await (await labStack(lab)).pulumi(["stack", "export"]);
    for (const word of words) expect(looked.stdout + output).not.toContain(word);
    const { stdout } = await host("chatserver1").exec("stat -c '%a %U' /etc/jtel-chat/clientmessenger.args");
    expect(stdout.trim()).toBe("600 root");
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
      expect(await proveChat(lab)).toMatchObject({ portal: 200 });
      expect((await up(() => {}, ["--expect-no-changes"])).exitCode).toBe(0);
    },
    10 * minutes,
  );

  test("destroy says that undo is not available, and changes nothing", async () => {
    const before = await everyHost();
    const { exitCode, output } = await (await labStack(lab)).pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(output).toContain("undo is not available in this version; nothing was changed");
    expect(exitCode).toBe(0);
    expect(await everyHost()).toEqual(before);
  });
});
