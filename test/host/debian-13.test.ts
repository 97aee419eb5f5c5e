import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load as parseYaml } from "js-yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { aptCacheUrl } from "../../lab/services/apt-cache.ts";
import { aptRepository } from "../../lab/services/apt-repository.ts";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { home, releaseFolder } from "../../render/client-messenger/places.ts";
import { firewallDocument } from "../../render/firewall.ts";
import { hazelcastXml } from "../../render/hazelcast.ts";
import { type Java, javaDocument } from "../../render/java.ts";
import { toolDocument } from "../../render/tool.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";
import { aloneInTheCluster, chatServerSteps } from "./chat-server-steps.ts";

const runnable = await bootable("a host that is upgraded to Debian 13");

const server = bench({ name: "debian-13", on: "chatserver1", beside: ["acd-dbm"], java: true, release: "bookworm" });
const { lab, host, run, look, lookAt } = server;
const steps = chatServerSteps(server);
let original = "";

const java17: Java = { ...javaOf("bookworm"), onDestroy: "keep" };
const java21: Java = { ...javaOf("trixie"), onDestroy: "keep" };

/** hazelcast.xml is written before the release is installed that reads it. */
const judgedByTheShares = (text = ""): string => text.replace(`${home}/bin`, `/home/jtel/shared/${releaseFolder}/bin`);

/** Every step of a chat server, as the stack has them in their order. */
const documents = (java: Java, release?: string): Record<string, string> => {
  const addresses = { chatServers: [host().address], loadBalancers: ["10.1.0.11"], publicPorts: [3003] };
  const chat = steps.documents(release, javaDocument(java));
  return {
    tool: toolDocument("jtel-chat/trial"),
    java: javaDocument(java),
    firewall: firewallDocument({ chat: true, loadBalancer: false }, addresses),
    ...chat,
    ...(release === "follow" && { hazelcast: judgedByTheShares(chat.hazelcast) }),
  };
};

const applyAll = async (texts: Record<string, string>): Promise<string> => {
  let printed = "";
  for (const [step, text] of Object.entries(texts)) printed += await steps.apply(step, text);
  return printed;
};

/** What a look finds to do or to complain of. A secret document is compared by the engine, not by a look. */
const found = async (texts: Record<string, string>): Promise<string[]> =>
  Object.entries(await look({ ...texts, "messenger-secret": null })).flatMap(([step, { drifted, reason, problems }]) =>
    drifted || problems.length ? [`${step}: ${[...(drifted ? [reason] : []), ...problems].join("; ")}`] : [],
  );

/** What an upgrade of Debian leaves as it is. */
const kept = "/etc/jtel-chat /etc/systemd/system /etc/ufw /usr/local /var/lib/jtel-chat /home/jtel/ClientMessenger";

/** Puts a release with this major version of Hazelcast on the share, and the cluster's file as it reads it. */
const offer = async (major: 3 | 5): Promise<void> => {
  const [release, file] = [join(lab().share, releaseFolder), join(lab().share, "hazelcast.xml")];
  original ||= await readFile(file, "utf8");
  await rm(release, { recursive: true });
  await cp(await buildClientMessenger({ hazelcast: `${major}` }), release, { recursive: true });
  const rendered = hazelcastXml(5, { clusterName: "jtel-cluster-LAB", members: [host().address] });
  await writeFile(file, major === 5 ? rendered : original);
  await run(`systemctl stop jtel-clientmessenger; chown -R jtel: /home/jtel/shared/*`);
};

/** Java and Hazelcast of the chat server that runs: "21, 5.5.0". */
const runs = async (): Promise<string> => {
  const program = await run("readlink /proc/$(systemctl show --value --property=MainPID jtel-clientmessenger)/exe");
  const jar = await run("ls /home/jtel/ClientMessenger/bin | sed -n 's/^hazelcast-\\(.*\\)[.]jar$/\\1/p'");
  return `${/java-(\d+)-/.exec(program)?.[1]}, ${jar}`;
};

describe.skipIf(!runnable)("a chat server that was configured on Debian 12", () => {
  beforeAll(async () => {
    await aloneInTheCluster(lab(), host());
    await applyAll(documents(java17));
    await run(`tar -C / -cf /media/share/kept.tar ${kept.replaceAll(/(^| )\//g, "$1")}`);
    await host().rebuild("trixie");
    await run("tar -C / -xf /media/share/kept.tar; rm /media/share/kept.tar");
    await host().kill();
    await host().start();
  }, 10 * minutes);

  test("is taken on by Debian 13: nothing is refused, and what differs is told", async () => {
    expect(await found(documents(java17))).toEqual([
      "java: java: Java 21 at /usr/lib/jvm/java-21-openjdk-amd64/bin/java; package openjdk-17-jdk: absent",
    ]);
    expect(await run("head -1 /usr/local/lib/jtel-chat/tool.sha256; python3 --version")).toMatch(
      / for cpython-311\nPython 3\.13\./,
    );
    expect(await runs()).toBe("21, 3.12.13");
  });

  test("runs on the Java 21 of Debian 13, with Hazelcast 3.12 and 5", async () => {
    expect(await applyAll(documents(java17))).toContain("healthy");
    expect(await runs()).toBe("21, 3.12.13");
    expect(await found(documents(java17))).toEqual([]);
    await offer(5);
    expect(await applyAll(documents(java21, "follow"))).toContain("hazelcast-5.5.0.jar reads in it");
    expect(await runs()).toBe("21, 5.5.0");
  });

  test("without a Java is told which there are", async () => {
    await run("apt-get remove --yes --quiet=2 openjdk-21-jre-headless");
    expect((await lookAt("java", javaDocument(java17))).problems).toEqual([
      "package openjdk-17-jdk cannot be had from the host's apt sources, which have Java 21 and Java 25. Name one of these," +
        " java: { package: openjdk-21-jdk, version: 21 }, or a source of your own that has openjdk-17-jdk:" +
        " java.aptSource and java.aptKey",
    ]);
  });

  describe("with Java 17 from a source of the stack's own", () => {
    let own: Java;

    beforeAll(async () => {
      const names = ["openjdk-17-jdk-headless", "openjdk-17-jre-headless"];
      const proxy = aptCacheUrl(lab().controllerAddress);
      own = {
        ...java17,
        package: "openjdk-17-jdk-headless",
        ...(await aptRepository(lab().share, "bookworm", names, proxy)),
      };
    }, 5 * minutes);

    test("takes nothing that another key has signed", async () => {
      const reference = await readFile(new URL("../../docs/stack-file.yaml", import.meta.url), "utf8");
      const { aptKey } = (parseYaml(reference) as { config: Record<string, Java> }).config["jtel-chat:java"] as Java;
      const { exitCode, output } = await server.apply("java", javaDocument({ ...own, aptKey }));
      expect(output).toMatch(/openjdk-17-jdk-headless cannot be had .*apt-get update: E: .*is not signed/);
      expect(exitCode).not.toBe(0);
      expect(await run("ls /etc/apt/keyrings /etc/apt/sources.list.d")).not.toContain("jtel-chat");
    });

    test(
      "runs on it, with Hazelcast 5 and 3.12",
      async () => {
        expect(await applyAll(documents(own, "follow"))).toContain("installed openjdk-17-jdk-headless");
        expect(await run("stat -c '%a %U' /etc/apt/keyrings/jtel-chat-java.asc")).toBe("644 root");
        expect(await runs()).toBe("17, 5.5.0");
        await offer(3);
        await applyAll(documents(own, "follow"));
        expect(await runs()).toBe("17, 3.12.13");
        expect(await found(documents(own, "follow"))).toEqual([]);
      },
      5 * minutes,
    );
  });
});
