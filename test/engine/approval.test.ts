import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { ensurePackages } from "../../lab/hosts/debian.ts";
import { stackHosts } from "../../lab/stack.ts";
import { type Report, reportSchema } from "../../report/report.ts";
import { type Change, engineLab, runnable } from "./engine-lab.ts";
import { snapshot } from "./snapshot.ts";

describe.skipIf(!runnable)("what was approved is what is applied, on booted hosts", () => {
  const { lab, host, said, stack, applied } = engineLab("approval", {
    hosts: ["lb1", "lb2", "chatserver1", "chatserver2", "acd-dbm"],
  });
  const hosts = ["lb1", "chatserver1", "chatserver2"];
  const reportFile = () => join(lab().directory, "report.json");

  /** All that commands have said, and every program that they have started with its arguments. */
  const transcript: string[] = [];

  /** Runs one of the project's own commands on the dev stack, as its file is now. */
  const command = async (name: string, argv: string[], variables = {}) => {
    const { file, environment } = await theStack();
    const { JTEL_CHAT_STACK_FILE: _, ...own } = environment; // --config-file is enough
    const trace = join(lab().directory, "trace");
    const traced = ["-f", "--seccomp-bpf", "-e", "trace=execve", "-s", "65536", "-o", trace];
    const { exitCode, all } = await execa(
      "strace",
      [...traced, "node", `cli/${name}.ts`, "--stack", "dev", "--config-file", file, ...argv],
      { env: { ...own, ...variables, NO_COLOR: "1" }, all: true, reject: false },
    );
    transcript.push(String(all), await readFile(trace, "utf8"));
    return { exitCode, output: String(all) };
  };
  let latest: ReturnType<typeof stack>;
  const theStack = () => latest;
  const configure = (change?: Change) => {
    latest = stack(change);
    return latest;
  };
  const report = async (environment = {}) => {
    const page = join(lab().directory, "report.md");
    const { exitCode, output } = await command("report", ["--json", reportFile(), "--markdown", page], environment);
    const text = await readFile(reportFile(), "utf8");
    transcript.push(text, await readFile(page, "utf8"));
    const made: Report = reportSchema.parse(JSON.parse(text));
    return { exitCode, output, made };
  };
  const apply = (approved = reportFile()) => command("apply", ["--approved", approved]);
  const bytes = async () => (await Promise.all(hosts.map((name) => snapshot(host(name))))).join("\n");

  const wider: Change = (config) => {
    config.firewall = { sources: [lab().subnet] };
  };
  const withoutWhatsapp: Change = (config) => {
    wider(config);
    delete config.whatsapp;
    delete config.tyntec;
  };

  test(
    "the dev stack is up, and nothing is to be done",
    async () => {
      await ensurePackages(["strace"], console.log);
      await applied();
      await configure();
      const { exitCode, output, made } = await report();
      expect(exitCode, output).toBe(0);
      expect(made).toMatchObject({ verdict: "nothing", changes: [], drift: [], reach: { hosts: [], restarts: [] } });
    },
    10 * minutes,
  );

  test("a host that does not answer gives no approval, and an exit code of its own", async () => {
    await host("chatserver2").kill();
    const { exitCode, output, made } = await report();
    expect(exitCode, output).toBe(3);
    expect(made).toMatchObject({ verdict: "unseen", approval: { refused: "not seen: chatserver2" } });
    expect((await apply()).output).toContain("cannot be approved: not seen: chatserver2");
    expect(await command("drift", [])).toMatchObject({
      exitCode: 3,
      output: expect.stringMatching(/^dev: not seen\nchatserver2: /),
    });
    await host("chatserver2").start();
  });

  test("a hand edit and a commit stand apart, each line in one of them", async () => {
    await said("chatserver1", "echo '# mine' >>/usr/local/bin/updatesc.sh");
    await configure(wider);
    const { exitCode, made } = await report();
    expect(exitCode).toBe(2);
    expect(made.drift).toMatchObject([
      { hosts: ["chatserver1"], step: "messenger", diff: expect.stringContaining("+# mine") },
    ]);
    expect(made.drift[0]?.written).toHaveProperty(["/usr/local/bin/updatesc.sh"]);
    expect(JSON.stringify(made.changes)).not.toContain("# mine");
    expect(made.changes).toMatchObject([
      {
        hosts: ["chatserver1", "chatserver2"],
        step: "firewall",
        operation: "update",
        diff: expect.stringContaining(`+    allow 3000/tcp from ${lab().subnet}`),
      },
      { hosts: ["chatserver1"], step: "messenger-running", cause: "messenger is about to change", diff: "" },
    ]);
    expect(made.reach).toMatchObject({ hosts: ["chatserver1", "chatserver2"], restarts: [], reloads: [], removed: [] });
    const metrics = join(lab().directory, "chat.prom");
    const drift = await command("drift", ["--prometheus", metrics]);
    expect(drift.exitCode, drift.output).toBe(2);
    expect(drift.output).toMatch(/^dev: drift\n.*changed by hand on chatserver1: messenger .*\+# mine/s);
    expect(await readFile(metrics, "utf8")).toContain(
      'jtel_chat_drift{stack="dev",host="chatserver1",step="messenger"} 1',
    );
    await said("chatserver1", "sed -i '$d' /usr/local/bin/updatesc.sh");
    expect(await command("drift", [])).toMatchObject({ exitCode: 0 });
  });

  test.each<[what: string, happen: () => Promise<unknown>, back: () => Promise<unknown>, named: RegExp]>([
    [
      "a file on one host",
      () => said("chatserver2", "echo '# mine' >>/usr/local/bin/updatesc.sh"),
      () => said("chatserver2", "sed -i '$d' /usr/local/bin/updatesc.sh"),
      /^\+chatserver2-messenger generation 2, drifted: content of \/usr\/local\/bin\/updatesc\.sh changed$/m,
    ],
    [
      "the boot of a host",
      async () => {
        await host("lb1").kill();
        await host("lb1").start();
      },
      async () => {},
      /^-lb1 boot [0-9a-f]+$\n^\+lb1 boot [0-9a-f]+$/m,
    ],
    [
      "a secret",
      async () =>
        (await theStack()).pulumi(["config", "set", "--secret", "--path", "jtel-chat:database.password", "Other-1"]),
      () => configure(wider),
      /^\+secret database\.password [0-9a-f]{64}$/m,
    ],
    ["the steps of the program", () => configure(withoutWhatsapp), () => configure(wider), /^-tyntec-webhooks /m],
    [
      "the state",
      async () => {
        const { pulumi } = await theStack();
        const urn = "urn:pulumi:dev::jtel-chat::jtel:chat:TynTecWebhooks$command:local:Command::tyntec-webhooks";
        const { exitCode, output } = await pulumi(["state", "delete", urn, "--yes"]);
        expect(exitCode, output).toBe(0);
      },
      async () => {},
      /^-state tyntec-webhooks [0-9a-f]{64}$/m,
    ],
  ])(
    "%s has changed since the approval: refused, named, and no byte on a host is another one",
    async (_, happen, back, named) => {
      await configure(wider);
      expect((await report()).exitCode).toBe(2);
      await happen();
      const before = await bytes();
      const { exitCode, output } = await apply();
      expect(exitCode, output).toBe(4);
      expect(output).toMatch(named);
      expect(output).not.toContain(lab().database.password);
      expect(await bytes()).toBe(before);
      await back();
    },
  );

  test("a failover of the load balancers since the approval is refused, and names both", async () => {
    const address = "10.99.0.9";
    const keepalived = `vrrp_instance chat {\n  virtual_ipaddress {\n    ${address}\n  }\n}\n`;
    const follows = `mkdir -p /etc/keepalived && printf '${keepalived}' >/etc/keepalived/keepalived.conf
      cp /etc/hosts /root/hosts; sed -i '/${lab().chat}/d' /etc/hosts; echo '${address} ${lab().chat}' >>/etc/hosts`;
    for (const name of ["lb1", "lb2"]) await said(name, follows);
    await said("lb1", `ip address add ${address}/32 dev lo`);
    await configure((config) => {
      config.loadBalancers = stackHosts(lab(), "lb1", "lb2");
    });
    const { exitCode: seen, output: shown } = await report();
    expect(seen, shown).toBe(2);
    await said("lb1", `ip address del ${address}/32 dev lo`);
    await said("lb2", `ip address add ${address}/32 dev lo`);
    const before = await Promise.all([snapshot(host("lb1")), snapshot(host("lb2"))]);
    const { exitCode, output } = await apply();
    expect(exitCode, output).toBe(4);
    expect(output).toMatch(/^-lb1-haproxy carries the traffic$/m);
    expect(output).toMatch(/^\+lb2-haproxy carries the traffic$/m);
    expect(await Promise.all([snapshot(host("lb1")), snapshot(host("lb2"))])).toEqual(before);
    for (const name of ["lb1", "lb2"])
      await said(name, `rm -r /etc/keepalived; cp /root/hosts /etc/hosts; ip address flush to ${address}`);
  });

  test("a configuration that HAProxy refuses fails the preview, with file and line", async () => {
    await configure((config) => {
      config.public = { ...(config.public as object), port: 3443 };
    });
    await said("lb1", "sed -i '1i nonsense' /etc/haproxy/haproxy.cfg");
    const { exitCode, made } = await report();
    expect(exitCode).toBe(1);
    expect(made.problems.join("\n")).toMatch(/^lb1: \/etc\/haproxy\/haproxy\.cfg .* line 1 'nonsense'/);
    await said("lb1", "sed -i 1d /etc/haproxy/haproxy.cfg");
  });

  test("a value that is encrypted and no secret is refused, and not shown", async () => {
    const { pulumi } = await configure(wider);
    await pulumi(["config", "set", "--secret", "--path", "jtel-chat:public.scheme", "moved-secret"]);
    const { exitCode, output, made } = await report();
    expect(exitCode, output).toBe(1);
    expect(made.problems.join("\n")).toContain("jtel-chat:public.scheme: is encrypted, but no secret");
    expect(JSON.stringify(made) + output).not.toContain("moved-secret");
  });

  test("an unchanged world is applied, with the report or with its digest alone", async () => {
    await configure(wider);
    const { made } = await report();
    const { exitCode, output } = await apply("digest" in made.approval ? made.approval.digest : "");
    expect(exitCode, output).toBe(0);
    expect((await report()).exitCode).toBe(0);
    expect((await apply()).exitCode).toBe(0);
  });

  test("an account that may only observe gives no approval", async () => {
    const { exitCode, made } = await report({ JTEL_CHAT_OBSERVE_USER: lab().user });
    expect([exitCode, made.approval]).toEqual([
      0,
      { refused: expect.stringContaining("who may not check what would be applied") },
    ]);
  });

  test("no secret was said, written or handed to a program in the clear, in any of this", async () => {
    const { file, pulumi } = await theStack();
    const { output: key } = await pulumi(["config", "get", "--path", "jtel-chat:approval.key"]);
    const secrets = [lab().database.password, lab().tyntec.apiKey, key.trim()];
    expect(key.trim()).toMatch(/^[0-9a-f]{64}$/);
    const state = await execa("grep", ["-rhsF", "-e", secrets.join("\n"), join(dirname(file), "state")], {
      reject: false,
    });
    const journals = await Promise.all(hosts.map((name) => said(name, "journalctl --no-pager; jtel-chatctl log")));
    const text = [...transcript, ...journals, state.stdout].join("\n");
    expect(text).toContain("jtel-chatctl");
    expect(text).toMatch(/execve\(".*ssh"/);
    for (const secret of secrets) expect(text.includes(secret), secret.slice(0, 4)).toBe(false);
  });
});
