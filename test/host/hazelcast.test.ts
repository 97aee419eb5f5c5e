import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { minutes } from "../../lab/deadline.ts";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { hazelcastFile, releaseFolder } from "../../render/client-messenger/places.ts";
import { document, type Section } from "../../render/document.ts";
import { passwordProperty } from "../../render/hazelcast.ts";
import { type Change, engineLab, runnable } from "../engine/engine-lab.ts";
import { toolOn } from "./bench.ts";

const rendered: Change = (config) => {
  config.hazelcast = { source: "render", clusterName: "jtel-cluster-RENDERED" };
};

const followed: Change = (config) => {
  rendered(config);
  config.clientMessenger = { release: "follow" };
};

describe.skipIf(!runnable)("Hazelcast on booted hosts", () => {
  const { lab, host, said, stack, applied, noop } = engineLab("hazelcast");

  /** The sections of a step as a host has them. */
  const sections = async (hostName: string, step: string): Promise<Section[]> =>
    JSON.parse(await said(hostName, `cat /var/lib/jtel-chat/steps/${step}.json`)).sections;

  /** Has a host tool apply a step, without the engine. */
  const apply = (hostName: string, step: string, wanted: Section[]) =>
    toolOn(() => host(hostName)).apply(step, document(...wanted), { generation: 7 });

  /** Starts the service anew and gives what the step says of it. `within`: seconds for which a split cluster has to stay so. */
  const started = async (hostName: string, within?: number) => {
    await host(hostName).exec("systemctl stop jtel-clientmessenger");
    const wanted = await sections(hostName, "messenger-running");
    const sooner = within && { "cluster-within": String(within) };
    const changed = wanted.map((section) => ({ ...section, fields: { ...section.fields, ...sooner } })) as Section[];
    return apply(hostName, "messenger-running", changed);
  };

  const digest = (hostName: string) => said(hostName, `sha256sum ${hazelcastFile}`);

  afterEach(async () => {
    await host("chatserver1").exec("iptables -D INPUT -p tcp --dport 5701:5801 -j DROP");
  });

  test(
    "a rendered configuration makes one cluster, whose password nobody reads",
    async () => {
      const output = await applied(rendered);
      expect(output).toMatch(/members: 1 of 2; chatserver2 \([0-9.]+\) is not running/);
      expect(output).toMatch(/members: 2 of 2/);
      expect(output).toMatch(/hazelcast-3\.12\.13\.jar reads in it: cluster jtel-cluster-RENDERED, port 5701/);
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });

      expect(await said("chatserver1", `cat ${hazelcastFile}`)).toContain(
        `<password>\${${passwordProperty}}</password>`,
      );
      const argument = `sed -n 's/^"-D${passwordProperty}=\\(.*\\)"$/\\1/p' /etc/jtel-chat/clientmessenger.args`;
      const password = await said("chatserver1", argument);
      expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
      expect(await said("chatserver2", argument)).toBe(password);
      const { output: state } = await (await stack(rendered)).pulumi(["stack", "export"]);
      const looked = await said("chatserver1", "ps axww; journalctl --no-pager; cat /var/lib/jtel-chat/steps/*");
      expect(state + looked).not.toContain(password);
      await noop(rendered);
    },
    15 * minutes,
  );

  test(
    "a member of another cluster is an error that names the pair, and its file is put back",
    async () => {
      const before = await digest("chatserver2");
      const own = await sections("chatserver2", "hazelcast");
      const other = own.map((section) => ({
        ...section,
        fields: Object.fromEntries(
          Object.entries(section.fields).map(([key, value]) => [key, `${value}`.replace("RENDERED", "OTHER")]),
        ),
      })) as Section[];
      expect((await apply("chatserver2", "hazelcast", other)).exitCode).toBe(0);
      const { exitCode, stderr, output } = await started("chatserver2", 5);
      expect(exitCode, output).toBe(1);
      expect(stderr).toMatch(
        /^chatserver2: the cluster is split: 5701\/tcp of chatserver1 \([0-9.]+\) answers chatserver2/,
      );
      expect(stderr).toMatch(/Put back with it: hazelcast\. .* is healthy again on its old files/);
      expect(await digest("chatserver2")).toBe(before);
      expect((await started("chatserver2")).stderr).toMatch(/of hazelcast: another run .* or it was put back/);
      await apply("chatserver2", "hazelcast", own);
      expect((await started("chatserver2")).stdout).toMatch(/members: 2 of 2/);
    },
    5 * minutes,
  );

  test(
    "a blocked port is an error that names both hosts and the port",
    async () => {
      await host("chatserver1").exec("iptables -I INPUT -p tcp --dport 5701:5801 -j DROP");
      const { exitCode, stderr, output } = await started("chatserver2", 5);
      expect(exitCode, output).toBe(1);
      expect(stderr).toMatch(
        /^chatserver2: 5701\/tcp of chatserver1 \([0-9.]+\) is not reachable from chatserver2: a firewall\?/,
      );
      await host("chatserver1").exec("iptables -D INPUT -p tcp --dport 5701:5801 -j DROP");
      expect((await started("chatserver2")).stdout).toMatch(/members: 2 of 2/);
    },
    5 * minutes,
  );

  describe("a file that is copied", () => {
    const file = () => join(lab().share, "hazelcast.xml");

    /** The step with `source: share`, and the share's file changed. */
    const copied = async (from: string | RegExp, to: string): Promise<Section[]> => {
      await writeFile(file(), (await readFile(file(), "utf8")).replace(from, to));
      const [section, ...others] = await sections("chatserver2", "hazelcast");
      const { "content-3": _, "content-5": __, ...fields } = (section?.fields ?? {}) as Record<string, string>;
      return [{ ...section, fields: { ...fields, from: "/home/jtel/shared/hazelcast.xml" } } as Section, ...others];
    };

    test("is refused in the library's own words, and nothing is written", async () => {
      const original = await readFile(file());
      const before = await digest("chatserver2");
      const wanted = await copied("<management-center", "<managment-center");
      const { exitCode, stderr } = await apply("chatserver2", "hazelcast", wanted);
      expect(stderr).toMatch(/hazelcast\.xml: hazelcast-3\.12\.13\.jar refuses it: .*element '<managment-center>'/);
      expect(exitCode).toBe(3);
      const { problems } = await toolOn(() => host("chatserver2")).lookAt("hazelcast", document(...wanted));
      expect(problems.join()).toMatch(/hazelcast-3\.12\.13\.jar refuses it/);
      expect(await digest("chatserver2")).toBe(before);
      await writeFile(file(), original);
    });

    test(
      "may import what chat needs, since the library reads it",
      async () => {
        const original = await readFile(file(), "utf8");
        const structures = /<ringbuffer name="CHAT">[\s\S]*<\/map>/;
        const part = `<hazelcast xmlns="http://www.hazelcast.com/schema/config">${original.match(structures)?.[0]}</hazelcast>`;
        await writeFile(join(lab().share, "chat.xml"), part);
        const imports = '<import resource="file:///home/jtel/shared/chat.xml"/>';
        const { exitCode, stdout } = await apply("chatserver2", "hazelcast", await copied(structures, imports));
        expect(stdout).toMatch(/reads in it: cluster jtel-cluster-LAB, port 5701, members [0-9.]+ [0-9.]+/);
        expect(exitCode).toBe(0);
        await writeFile(join(lab().share, "chat.xml"), part.replace('"CHAT"', '"OTHER"'));
        await writeFile(file(), `${await readFile(file(), "utf8")}\n`);
        const { stderr } = await apply("chatserver2", "hazelcast", await copied("", ""));
        expect(stderr).toMatch(/it has no <ringbuffer name="CHAT">: .* Add <ringbuffer/);
        await writeFile(file(), original);
        await applied(rendered);
      },
      5 * minutes,
    );
  });

  test(
    "a release with another major version of Hazelcast gets its own file",
    async () => {
      const release = join(lab().share, releaseFolder);
      await rm(release, { recursive: true });
      await cp(await buildClientMessenger({ hazelcast: "5" }), release, { recursive: true });
      await host("chatserver1").exec(`chown -R jtel: '/home/jtel/shared/${releaseFolder}'`);
      // Members of two majors cannot join, and a new one may wait for an old one for minutes: they are all stopped before.
      for (const each of ["chatserver1", "chatserver2"]) await said(each, "systemctl stop jtel-clientmessenger");
      const output = await applied(followed);
      expect(output).toMatch(/members: 1 of 2; chatserver2 \([0-9.]+\) is not running/);
      expect(output).toMatch(/members: 2 of 2/);
      expect(output).toMatch(/hazelcast-5\.5\.0\.jar reads in it/);
      expect(await said("chatserver1", `cat ${hazelcastFile}`)).toContain("<cluster-name>jtel-cluster-RENDERED<");
      await noop(followed);
    },
    10 * minutes,
  );
});
