import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { keyFingerprint } from "../../hosts/ssh/host-keys.ts";
import { joinAt, proveChat } from "../../lab/clients/chat.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { installedByHand } from "../../lab/stand-ins/by-hand.ts";
import { unitName } from "../../render/client-messenger/places.ts";
import { reportSchema } from "../../report/report.ts";
import { surveyReport } from "../../survey/report.ts";
import { type EngineLab, engineLab, runnable } from "../engine/engine-lab.ts";
import { type Desk, deskOf } from "./checkout.ts";
import { type Answer, atTerminal } from "./terminal.ts";

/** What an inventory says of hosts beside their names and addresses. */
type Roles = Record<string, string[]>;

/** What a person types where `new` proposes something: nothing, which takes it. */
const taken = (asked: RegExp): Answer => ({ asked, typed: "" });

/** A stack file that `new` has written, and how many questions it has asked. */
interface Made {
  text: string;
  questions: number;
}

/** A customer's way from an inventory to hosts that are as applied, with the commands of docs/customers.md. */
const customer = ({ lab, host }: EngineLab, roles: Roles) => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await deskOf(lab());
  });
  const names = Object.keys(roles);

  const node = async (expected: number, ...argv: string[]): Promise<string> => {
    const { exitCode, output } = await desk.run("node", argv);
    expect(exitCode, output).toBe(expected);
    return output;
  };
  const pulumi = async (...argv: string[]): Promise<string> => {
    const { exitCode, output } = await desk.run("pulumi", [...argv, "--stack", "acme", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
    return output;
  };
  const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(desk.directory, file), "utf8"));

  /** The inventory that a team has: each host beside `more` of what is known of it, e.g. its key. */
  const inventory = async (more: (name: string) => object = () => ({})): Promise<void> => {
    const rows = names.map((name) => ({
      ...{ customer: "acme", name, address: host(name).address, user: lab().user, roles: roles[name] },
      ...more(name),
    }));
    await writeFile(join(desk.directory, "customers.yaml"), JSON.stringify(rows, null, 1));
  };

  /** Logs in to no host, since nobody has vouched for a key: it shows the fingerprints. */
  const surveyed = async (): Promise<void> => {
    await node(3, "cli/survey.ts", "--inventory", "customers.yaml", "--json", "survey.json");
    const { customers } = surveyReport.parse(await json("survey.json"));
    expect(customers[0]?.hosts.map(({ name, seen, fingerprint }) => ({ name, seen, fingerprint }))).toEqual(
      names.map((name) => ({ name, seen: false, fingerprint: keyFingerprint(host(name).hostKey) })),
    );
  };

  /** What a first `up` would do on each host. */
  const outlooks = async (): Promise<unknown[]> => {
    await node(0, "cli/survey.ts", "--inventory", "customers.yaml", "--json", "survey.json");
    return surveyReport.parse(await json("survey.json")).customers.flatMap(({ hosts }) => hosts.map(({ up }) => up));
  };

  /** Asks what a person has to say, and takes what is proposed; without `more` it ends in a preview that has seen every host. */
  const made = async (unknownKeys: number, more: Answer[] = [], ...argv: string[]): Promise<Made> => {
    const { password } = lab().database;
    const [portal, ...others] = more;
    const answers: Answer[] = [
      ...Array.from({ length: unknownKeys }, () => ({
        ...{ asked: /Is SHA256:\S+ the fingerprint on \S+ console\? \(yes\/no\): /, typed: "yes" },
      })),
      ...[/Topology \[.*\]: /, /Scheme .*\[.*\]: /, /Name in the URL .*\[.*\]: /].map(taken),
      ...(portal ? [portal] : [/WhatsApp's portal .*: /, /When chat may be restarted.*: /].map(taken)),
      ...[{ asked: /Password of the database \(not shown\): /, typed: password }, ...others],
    ];
    const { exitCode, shown } = await atTerminal(
      ["node cli/new.ts acme --from customers.yaml", ...argv].join(" "),
      answers,
      { cwd: desk.directory, env: { ...process.env, ...desk.environment } },
    );
    expect(exitCode, shown).toBe(0);
    expect(shown).toContain("wrote Pulumi.acme.yaml");
    if (!more.length) expect(shown).toMatch(/Previewing update.*acme/s);
    expect(shown).not.toContain("not seen");
    for (const secret of [password, lab().tyntec.apiKey]) expect(shown).not.toContain(secret);
    return { text: await readFile(join(desk.directory, "Pulumi.acme.yaml"), "utf8"), questions: answers.length };
  };

  /** What a reviewer approves: it has seen all hosts, and has a digest. */
  const reported = async (): Promise<void> => {
    await node(2, "cli/report.ts", "--stack", "acme", "--json", "report.json");
    const { unseen, approval } = reportSchema.parse(await json("report.json"));
    expect({ unseen, approval }).toEqual({
      ...{ unseen: [], approval: { digest: expect.stringMatching(/^[0-9a-f]{64}$/), lines: expect.anything() } },
    });
  };

  const validated = () => node(0, "cli/validate.ts");
  const approvedUp = () => node(0, "cli/apply.ts", "--stack", "acme", "--approved", "report.json");

  /** A second `up` changes nothing, and nothing on the hosts differs from what was applied. */
  const asApplied = async (): Promise<void> => {
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    expect(await node(0, "cli/drift.ts", "--stack", "acme")).toContain("as applied");
  };

  return { inventory, surveyed, outlooks, made, validated, reported, approvedUp, asApplied, pulumi };
};

/** Writes figures into docs/customers.md, between the marks of that name. */
const writeDown = async (name: string, text: string): Promise<void> => {
  const page = new URL("../../docs/customers.md", import.meta.url);
  const [begin, end] = [`<!-- test/long/customers.test.ts writes this: ${name} -->`, "<!-- until here -->"];
  const [before, rest = ""] = (await readFile(page, "utf8")).split(begin);
  const after = rest.slice(rest.indexOf(end));
  expect(after).toContain(end);
  const when = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores with a load of ${loadavg()[1]?.toFixed(1)}`;
  await writeFile(page, `${before}${begin}\n\n${when}: ${text}\n\n${after}`);
};

/** Seconds since `begun`. */
const since = (begun: number): number => Math.round((performance.now() - begun) / 1000);

describe.skipIf(!runnable)("a customer with chat servers of their own", () => {
  const engine = engineLab("customer-separate");
  const { lab } = engine;
  const acme = customer(engine, { lb1: ["loadBalancer"], chatserver1: [], chatserver2: [], "acd-dbm": ["database"] });

  test(
    "comes from an inventory to an approved preview in less than five minutes, and to hosts as applied",
    async () => {
      await acme.inventory();
      const begun = performance.now();
      await acme.surveyed();
      const survey = since(begun);
      const { text, questions } = await acme.made(4);
      expect(text).toContain("topology: separate-server");
      const stack = since(begun);
      await acme.validated();
      await acme.reported();
      const whole = since(begun);
      expect(whole).toBeLessThan(300);
      await writeDown(
        "second customer",
        `${whole} s from the inventory of a second customer (a load balancer, two chat servers, a database) to a report with its digest: the survey ${survey} s, \`new\` with its preview ${stack - survey} s, \`validate\` and \`report\` ${whole - stack} s. A machine typed the ${questions} answers at a terminal.`,
      );
      await acme.approvedUp();
      await acme.asApplied();
      expect(await proveChat(lab(), { whatsapp: false })).toMatchObject({ portal: 200 });
    },
    10 * minutes,
  );
});

describe.skipIf(!runnable)("a customer with chat on the web servers", () => {
  const engine = engineLab("customer-co-located");
  const { lab } = engine;
  const acme = customer(engine, { lb1: ["loadBalancer"], chatserver1: ["web"], chatserver2: ["web"] });

  test(
    "comes from an inventory with WhatsApp and a window to hosts as applied",
    async () => {
      const whatsapp = { portal: `https://${lab().portal}`, serviceNumber: "+4989123456" };
      await acme.inventory(() => ({ ...whatsapp, maintenance: "sat 22:00-23:00 Europe/Vienna" }));
      await acme.surveyed();
      const more = [
        taken(/Version of TynTec's API \[v2\]: /),
        { asked: /API key of the TynTec account \(not shown\): /, typed: lab().tyntec.apiKey },
      ];
      const { text } = await acme.made(3, more, "--no-preview");
      expect(text).toContain("topology: co-located");
      expect(text).toContain(`serviceNumber: "${whatsapp.serviceNumber}"`);
      for (const [key, value] of Object.entries({ url: lab().tyntec.url, caFile: lab().caFile }))
        await acme.pulumi("config", "set", "--path", `jtel-chat:tyntec.${key}`, value);
      await acme.validated();
      await acme.pulumi("up", "--yes", "--skip-preview");
      await acme.asApplied();
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
    },
    10 * minutes,
  );
});

describe.skipIf(!runnable)("a customer with chat that was installed by hand on the load balancers", () => {
  const engine = engineLab("customer-by-hand", { hosts: ["lb1", "lb2", "acd-dbm"] });
  const { lab, host, said } = engine;
  const acme = customer(engine, { lb1: ["loadBalancer"], lb2: ["loadBalancer"] });
  const servers = ["lb1", "lb2"];
  const processes = () =>
    Promise.all(servers.map((name) => said(name, `systemctl show --value --property=MainPID ${unitName}`)));

  beforeAll(async () => {
    const list = servers.map((name) => `<member>${host(name).address}</member>`);
    await said(
      "lb1",
      `sed -i '/<member>/d; s#<tcp-ip enabled="true">#&${list.join("")}#' /home/jtel/shared/hazelcast.xml`,
    );
    const java = `apt-get install --yes --no-install-recommends ${javaOf(lab().release).package} >/dev/null`;
    for (const name of servers) {
      const { exitCode, stderr } = await host(name).exec(`${java}; ${installedByHand(lab().database.password)}`);
      expect(exitCode, stderr).toBe(0);
    }
  });

  test(
    "is taken over without a restart: processes and an open WebSocket go on, and the restart stays owed until it is wanted",
    async () => {
      const visitor = await until("chat that was installed by hand", 60, () =>
        joinAt(`ws://${host("lb1").address}:3000`, { role: "visitor", name: "Grete" }),
      );
      const before = await processes();
      await acme.inventory((name) => ({ hostKey: host(name).hostKey }));
      const outlook = {
        changes: {
          ...{ "jtel-chatctl": "installed", "/etc/haproxy/haproxy.cfg": "our blocks written" },
          ...{ "haproxy.service": "reloaded", [`/etc/systemd/system/${unitName}`]: "written" },
          "connection to the database": "written",
        },
        owed: { [unitName]: "it was started before it was managed" },
        problems: [],
      };
      expect(await acme.outlooks()).toMatchObject([outlook, outlook]);
      const { text } = await acme.made(0);
      expect(text).toMatch(/topology: lb-hosted #.*\n/);
      expect(text).toMatch(/restart: hold # chat on lb1, lb2 was installed by hand/);
      await acme.validated();
      const begun = performance.now();
      expect(await acme.pulumi("up", "--yes", "--skip-preview")).toContain("restart owed: ");
      const first = since(begun);
      expect(await processes()).toEqual(before);
      visitor.say("Is anybody there?");
      await visitor.hears("Is anybody there?");
      await visitor.leave();
      await acme.asApplied();
      expect(await acme.pulumi("preview")).toContain("it was started before it was managed");

      await acme.pulumi("config", "rm", "--path", "jtel-chat:clientMessenger.restart");
      const window = performance.now();
      await acme.pulumi("up", "--yes", "--skip-preview");
      await writeDown(
        "by hand",
        `where chat was installed by hand on two load balancers, the first \`up\` took ${first} s, with both processes and an open WebSocket as before. The \`up\` that restarted both later took ${since(window)} s.`,
      );
      for (const [index, pid] of (await processes()).entries()) expect(pid).not.toBe(before[index]);
      await acme.asApplied();
      expect(await proveChat(lab(), { whatsapp: false })).toMatchObject({ portal: 200 });
    },
    10 * minutes,
  );
});
