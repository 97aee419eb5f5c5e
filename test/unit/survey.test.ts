import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, test, vi } from "vitest";
import { keyFingerprint, knownKey } from "../../hosts/ssh/host-keys.ts";
import { customerValues, flaggedValues, readInventory } from "../../survey/inventory.ts";
import { reportOf, surveyMarkdown, surveyReport } from "../../survey/report.ts";
import { surveyHost } from "../../survey/survey-host.ts";
import { proposed } from "../../survey/topology.ts";
import { entry, facts, hostKey, surveyed } from "./surveyed.ts";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
afterAll(() => rm(directory, { recursive: true }));

describe("an inventory", () => {
  const yaml = "- { customer: acme, name: lb1, address: 10.1.0.11, user: deploy, roles: [loadBalancer] }\n";

  test("is a YAML list, or CSV with the same names above", () => {
    const wanted = [{ ...entry("lb1", "10.1.0.11"), roles: ["loadBalancer", "chat"], port: 2222 }];
    const csv =
      "customer;name;address;user;port;roles;hostKey\r\nacme;lb1;10.1.0.11;deploy;2222;loadBalancer chat;\r\n";
    expect(readInventory("a.csv", csv)).toEqual(wanted);
    expect(readInventory("a.csv", csv.replaceAll(";", ","))).toEqual(wanted);
    expect(readInventory("a.yaml", yaml)).toEqual([{ ...wanted[0], roles: ["loadBalancer"], port: 22 }]);
  });

  test("takes a key with its comment, in quotes", () => {
    const csv = `customer,name,address,user,hostKey\nacme,lb1,10.1.0.11,deploy,"${hostKey} root@lb1"\n`;
    expect(readInventory("a.csv", csv)).toMatchObject([{ hostKey }]);
  });

  test("knows of a jump host, and of the customer what no host says, on one host or the same on all", () => {
    const more = {
      jump: "ops@[fd00::5]:2222",
      portal: "https://p.acme.example",
      maintenance: "tue, thu 22:00-04:00 UTC",
    };
    const rows = [
      { ...entry("lb1"), ...more, tyntecApi: "v3" },
      { ...entry("c1", "10.1.0.21"), portal: more.portal },
    ];
    const entries = readInventory("a.yaml", JSON.stringify(rows));
    expect(entries[0]?.jump).toEqual({ user: "ops", address: "fd00::5", port: 2222 });
    const maintenance = { days: ["tue", "thu"], from: "22:00", to: "04:00", timezone: "UTC" };
    expect(customerValues(entries)).toEqual({ portal: more.portal, tyntecApi: "v3", maintenance });
    expect(flaggedValues({ "tyntec-api": "v3", maintenance: "22:00-23:00" })).toEqual({
      ...{ tyntecApi: "v3", maintenance: { from: "22:00", to: "23:00" } },
    });
    expect(() => flaggedValues({ "tyntec-api": "v9" })).toThrow("--tyntec-api: is no version of TynTec's API");
  });

  test.each([
    ["a host of two customers", `${yaml}${yaml.replace("acme", "other")}`, /10\.1\.0\.11 is acme's and other's/],
    ["a host that is listed twice", yaml + yaml, /10\.1\.0\.11 is listed twice/],
    ["two hosts with one name", yaml + yaml.replace("0.11", "0.12"), /acme has two hosts named lb1/],
    ["an unknown role", yaml.replace("loadBalancer", "proxy"), /host 1, roles: is no role\. Known: chat/],
    ["an option for ssh as the address", yaml.replace("10.1.0.11", "-oProxyCommand=x"), /host 1, address: is no host/],
    ["an unknown column", yaml.replace("user:", "login: x, user:"), /host 1: Unrecognized key: "login"/],
    ["a missing user", yaml.replace(", user: deploy", ""), /host 1, user: /],
    [
      "two portals of one customer",
      yaml.replace(" }", ", portal: a }") + yaml.replaceAll("1, ", "2, ").replace(" }", ", portal: b }"),
      /host 2, portal: is another one than on lb1/,
    ],
    ...["x@a;id", "'x;id@10.1.0.5'", "-oA@10.1.0.5", "x@-oA", "x@10.1.0.5:99999"].map(
      (jump): [string, string, RegExp] => [
        `the jump host ${jump}`,
        yaml.replace(" }", `, jump: ${jump} }`),
        /host 1, jump: is no jump host\. Example: deploy@203\.0\.113\.5/,
      ],
    ),
    ["a jump host without a user", yaml.replace(" }", ", jump: 10.1.0.5 }"), /host 1, jump: is no jump host/],
    ["no window", yaml.replace(" }", ", maintenance: nights }"), /host 1, maintenance: is no maintenance window/],
    ["no host", "[]", /names no host/],
    ["no list", "acme: 1", /the inventory is not usable/],
  ])("with %s is refused, with the place", (_, text, why) => {
    expect(() => readInventory("a.yaml", text)).toThrow(why);
  });

  test("says all problems at once, and shows nothing that a terminal would obey", () => {
    const bad = yaml.replace("deploy", '"\\e[31m"') + yaml.replace("lb1", "LB");
    expect(() => readInventory("a.yaml", bad)).toThrow(/host 1, user.*\n.*host 2, name/);
  });
});

describe("a host key", () => {
  test("of known_hosts is found by name and port, also where names are hashed; a revoked one is none", async () => {
    const file = join(directory, "known_hosts");
    const other = hostKey.replace("AAAAI", "AAAAJ");
    writeFileSync(file, `lb1 ${hostKey}\n[lb1]:2222 ${other}\n@revoked lb2 ${hostKey}\n`);
    await execa("ssh-keygen", ["-H", "-f", file]);
    expect(await knownKey({ address: "lb1", port: 22 }, [file])).toBe(hostKey);
    expect(await knownKey({ address: "lb1", port: 2222 }, [file])).toBe(other);
    expect(await knownKey({ address: "lb2", port: 22 }, [file])).toBeUndefined();
    expect(await knownKey({ address: "lb3", port: 22 }, [file, join(directory, "missing")])).toBeUndefined();
  });

  test("has the fingerprint that ssh-keygen prints", async () => {
    const file = join(directory, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
    const { stdout } = await execa("ssh-keygen", ["-lf", file]);
    expect(stdout).toContain(keyFingerprint(readFileSync(`${file}.pub`, "utf8").trim()));
  });
});

describe("a survey of one host", () => {
  const answered = (stdout: string) => vi.fn(async () => ({ exitCode: 0, stdout, stderr: "" }));
  const reach = (stdout: string, known: string | undefined, offered = hostKey) => ({
    ssh: answered(stdout),
    knownKey: async () => known,
    offeredKey: async () => offered,
  });
  const answer = (said: object) => `motd\u001ejtel-chatctl ${JSON.stringify(said)}\n`;

  test("does not log in where nobody has vouched for the key: it shows the fingerprint", async () => {
    const unknown = reach(answer(facts()), undefined);
    const seen = await surveyHost(entry("lb1"), unknown);
    expect(unknown.ssh).not.toHaveBeenCalled();
    expect(seen.facts).toBeUndefined();
    expect(seen.problem).toContain(keyFingerprint(hostKey));
    expect(seen.problem).toContain("ssh_host_ed25519_key.pub");
  });

  test("says where no ssh server answers, and where a login was refused, with the remedy", async () => {
    const offline = { ...reach("", undefined), offeredKey: async () => undefined };
    expect((await surveyHost(entry("lb1"), offline)).problem).toBe(
      "no ssh server answers on 10.1.0.11, port 22. Is it up, and is that its address?",
    );
    const refusedWith = async (stderr: string) => {
      const refused = { ...reach("", hostKey), ssh: async () => ({ exitCode: 255, stdout: "", stderr }) };
      return (await surveyHost(entry("lb1"), refused)).problem;
    };
    expect(await refusedWith("ssh: Could not resolve hostname lb1")).toContain("Correct 'address', or use the IP");
    expect(await refusedWith("Host key verification failed.")).toContain("its host key is not the pinned one");
    expect(await refusedWith("deploy@lb1: Permission denied (publickey).")).toContain(
      "Load your key into the ssh agent",
    );
  });

  test("pins the key of the inventory before that of known_hosts", async () => {
    const both = reach(answer(facts()), hostKey.replace("AAAAI", "AAAAJ"));
    expect(await surveyHost({ ...entry("lb1"), hostKey }, both)).toMatchObject({ hostKey, facts: { root: true } });
    expect(both.ssh).toHaveBeenCalledWith(expect.objectContaining({ hostKey }), expect.any(String), expect.anything());
  });

  test("goes through a jump host with both keys, and asks nobody for a key where one is unknown", async () => {
    const jump = { user: "ops", address: "203.0.113.5", port: 22 };
    const behind = { ...entry("lb1"), jump };
    const known = reach(answer(facts()), hostKey);
    expect(await surveyHost(behind, known)).toMatchObject({ jump: { ...jump, hostKey }, facts: { root: true } });
    expect(known.ssh).toHaveBeenCalledWith(
      expect.objectContaining({ jump: { ...jump, hostKey } }),
      ...[expect.any(String), expect.anything()],
    );
    const unknown = reach(answer(facts()), undefined);
    expect((await surveyHost(behind, unknown)).problem).toMatch(/^its host key is unknown.*\(hostKey\)/);
    expect((await surveyHost({ ...behind, hostKey }, unknown)).problem).toMatch(
      /^the key of its jump host 203\.0\.113\.5 is unknown.*\(jumpHostKey\)/,
    );
    expect(unknown.ssh).not.toHaveBeenCalled();
  });

  test.each([
    ["another form", answer({ ...facts(), ports: "all" }), /ports: /],
    ["no JSON", "\u001ejtel-chatctl {", /it is no JSON/],
    ["a longer text than a host says", answer({ ...facts(), owner: "x".repeat(5000) }), /owner: Too big/],
    ["nothing", "", /answered, but not as jtel-chatctl does/],
  ])("takes no answer with %s", async (_, stdout, why) => {
    const seen = await surveyHost({ ...entry("lb1"), hostKey }, reach(stdout, undefined));
    expect(seen.facts).toBeUndefined();
    expect(seen.problem).toMatch(why);
  });
});

describe("a proposal", () => {
  const balancer = surveyed("lb1", { haproxy: { ...facts().haproxy, frontends: [{ name: "acdportal_https" }] } });
  const web = surveyed("jb1", { ports: [{ port: 8080, program: "java" }] });
  const database = surveyed("db1", { ports: [{ port: 3306, program: "mariadbd" }] });
  const idle = surveyed("chat1", {});
  const byHand = { installed: true, unit: "by hand", active: true, database: null, data: "" } as const;
  const names = (hosts: { entry: { name: string } }[] = []) => hosts.map((each) => each.entry.name);

  test.each([
    ["chat runs on a host of its own", [balancer, surveyed("c1", { chat: byHand }), web], "separate-server", ["c1"]],
    ["chat runs on a web server", [balancer, { ...web, facts: { ...web.facts, chat: byHand } }], "co-located", ["jb1"]],
    ["chat runs on the load balancer", [{ ...balancer, facts: { ...balancer.facts, chat: byHand } }], "lb-hosted", []],
    ["a host has nothing to do", [balancer, web, idle, database], "separate-server", ["chat1"]],
    ["there are web servers only", [balancer, web, database], "co-located", ["jb1"]],
    ["there are load balancers only", [balancer, database], "lb-hosted", []],
  ])("follows from the hosts: %s", (_, hosts, topology, servers) => {
    const found = proposed(hosts as Parameters<typeof proposed>[0]);
    expect(found?.topology).toBe(topology);
    expect(names(found?.chatServers)).toEqual(servers);
    expect(names(found?.loadBalancers)).toEqual(["lb1"]);
    expect([...(found?.reasons.keys() ?? [])]).toEqual(expect.arrayContaining(["lb1", ...servers]));
  });

  test("is none without a load balancer", () => {
    expect(proposed([idle, web])).toBeUndefined();
  });
});

test("the report is of its own schema, and what hosts say is no markup in it", () => {
  const evil = surveyed("lb1", { system: "<b>|x|", deviations: ["[link](http://x)"], owner: "@all" });
  const problem = { entry: entry("lb2", "10.1.0.12"), problem: "not reachable on 10.1.0.12, port 22" };
  const up = { changes: { "/etc/<x>": "written" }, owed: { "a.service": "@all" }, problems: ["|no| port"] };
  const report = reportOf(
    [evil, problem],
    new Map([["acme", new Map([["lb1", up]])]]),
    new Date("2026-11-26T10:00:00Z"),
  );
  expect(surveyReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  const text = surveyMarkdown(report);
  expect(text).toContain("1 seen, 1 not seen");
  expect(text).toContain("not reachable on 10.1.0.12");
  expect(text).toContain("- lb1: `up` would change: `/etc/<x>` `written`\n- lb1: `up` would not restart `a.service`");
  expect(text).toContain("- **lb1** keeps `up` from writing anything: `¦no¦ port`");
  expect(text.replaceAll(/`[^`|]*`/g, "")).not.toMatch(/<b>|\[link\]|\|x|@all/);
  expect(text).toContain("`[link](http://x)`");
});
