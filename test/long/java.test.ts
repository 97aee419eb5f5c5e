import { readFile } from "node:fs/promises";
import { load as parseYaml } from "js-yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { aptCacheUrl } from "../../lab/services/apt-cache.ts";
import { aptRepository } from "../../lab/services/apt-repository.ts";
import { type Java, javaDocument } from "../../render/java.ts";
import { bootable } from "../bootable.ts";
import { bench } from "../host/bench.ts";
import { aloneInTheCluster } from "../host/chat-server-steps.ts";
import { javaSteps } from "../host/java-steps.ts";
import { offerOldMessenger } from "./old-messenger.ts";

const server = bench({ name: "java", on: "chatserver1", beside: ["acd-dbm"], java: true, release: "trixie" });
const { lab, host, run, look, lookAt } = server;
const { documents, tried, applyAll, found, offer, runs } = javaSteps(server);

const java17: Java = { ...javaOf("bookworm"), onDestroy: "keep" };
const java21: Java = { ...javaOf("trixie"), onDestroy: "keep" };

/** A package of another release of Debian, from a source with a key of its own. */
const ownSource = async (java: Java, suite: "bookworm" | "sid", ...names: string[]): Promise<Java> => ({
  ...java,
  ...(await aptRepository(lab().share, suite, names, aptCacheUrl(lab().controllerAddress))),
});

/** Where a JRE is put that Debian has not made. */
const cutDown = "/opt/java-21-jlink";

const remove = (packages: string) => run(`apt-get remove --yes --quiet=2 ${packages}`);

describe.skipIf(!(await bootable("Java of each kind")))("a chat server on Debian 13", () => {
  beforeAll(async () => {
    await aloneInTheCluster(lab(), host());
    await applyAll(documents(java21));
  }, 10 * minutes);

  test("runs on its Java 21, with Hazelcast 3.12 and 5", async () => {
    expect(await runs()).toBe("21, 3.12.13");
    await offer(5);
    expect(await applyAll(documents(java21, "follow"))).toContain("hazelcast-5.5.0.jar reads in it");
    expect(await runs()).toBe("21, 5.5.0");
  });

  test("is served by Debian's JRE, which compiles, too", async () => {
    // For the next test: a JRE of another origin.
    await run(`jlink --add-modules java.se,jdk.unsupported,jdk.management --output ${cutDown}`);
    await remove("openjdk-21-jdk-headless");
    const jre: Java = { ...java21, package: "openjdk-21-jre-headless" };
    expect((await lookAt("java", javaDocument(jre))).problems).toEqual([]);
    await offer(3);
    expect(await applyAll(documents(jre, "follow"))).toContain("hazelcast-3.12.13.jar reads in it");
    expect(await runs()).toBe("21, 3.12.13");
  });

  test("is served by a JRE without a compiler: what was not tried is said", async () => {
    await remove("openjdk-21-jre-headless");
    await run(`ln -s ${cutDown}/bin/java /usr/bin/java`);
    await offer(5);
    const printed = await applyAll(documents(java21, "follow"));
    await run("rm /usr/bin/java");
    expect(printed).toContain(`Java 21 at ${cutDown}/bin/java serves as openjdk-21-jdk`);
    const cannot = "this host's Java cannot compile (older than 11, or a JRE without a compiler)";
    expect(printed).toContain(`the login was not tried: ${cannot}`);
    expect(printed).toContain(`only its XML was read: ${cannot}`);
    expect(await runs()).toBe("21, 5.5.0");
  });

  test("without a Java is told which there are", async () => {
    expect((await lookAt("java", javaDocument(java17))).problems).toEqual([
      "package openjdk-17-jdk cannot be had from the host's apt sources, which have Java 21 and Java 25. Name one of these," +
        " java: { package: openjdk-21-jdk, version: 21 }, or a source of your own that has openjdk-17-jdk:" +
        " java.aptSource and java.aptKey",
    ]);
  });

  test(
    "gets Debian's default JDK, which goes again with what came along with it",
    async () => {
      const standard: Java = { package: "default-jdk", version: 21, onDestroy: "remove" };
      await offer(3);
      expect(await applyAll(documents(standard, "follow"))).toContain("installed default-jdk");
      expect(await runs()).toBe("21, 3.12.13");
      expect(await found(documents(standard, "follow"))).toEqual([]);
      expect((await server.undo("java")).stdout).toContain("removed default-jdk and what came along with it");
      expect(await run("which java; true")).toBe("");
    },
    5 * minutes,
  );

  describe("with Java 17 from a source of the stack's own", () => {
    let own: Java;

    beforeAll(async () => {
      const java = { ...java17, package: "openjdk-17-jdk-headless" };
      own = await ownSource(java, "bookworm", "openjdk-17-jdk-headless", "openjdk-17-jre-headless");
    }, 5 * minutes);

    test("takes nothing that another key has signed", async () => {
      const reference = await readFile(new URL("../../docs/stack-file.yaml", import.meta.url), "utf8");
      const { aptKey } = (parseYaml(reference) as { config: Record<string, Java> }).config["jtel-chat:java"] as Java;
      const { exitCode, output } = await tried("java", javaDocument({ ...own, aptKey }));
      expect(output).toMatch(/openjdk-17-jdk-headless cannot be had .*apt-get update: E: .*is not signed/);
      expect(exitCode).not.toBe(0);
      expect(await run("ls /etc/apt/keyrings /etc/apt/sources.list.d")).not.toContain("jtel-chat");
    });

    test(
      "runs on it, with Hazelcast 3.12 and 5",
      async () => {
        expect(await applyAll(documents(own, "follow"))).toContain("installed openjdk-17-jdk-headless");
        expect(await run("stat -c '%a %U' /etc/apt/keyrings/jtel-chat-java.asc")).toBe("644 root");
        expect(await runs()).toBe("17, 3.12.13");
        await offer(5);
        await applyAll(documents(own, "follow"));
        expect(await runs()).toBe("17, 5.5.0");
        expect(await found(documents(own, "follow"))).toEqual([]);
      },
      5 * minutes,
    );
  });

  describe("with Java 8 from another one, whose key takes the place of the first", () => {
    let own: Java;

    beforeAll(async () => {
      await offer(3);
      const java: Java = { package: "openjdk-8-jre-headless", version: 8, onDestroy: "keep" };
      own = await ownSource(java, "sid", "openjdk-8-jre-headless");
    }, 5 * minutes);

    test("is served by a newer one", async () => {
      expect((await tried("java", javaDocument(own))).stdout).toContain("serves as openjdk-8-jre-headless");
    });

    test(
      "says in Java's own words that a release needs a newer one",
      async () => {
        await remove("openjdk-17-jre-headless");
        const { "messenger-running": running = "", ...others } = documents(own, "follow");
        expect(await applyAll(others)).toContain("installed openjdk-8-jre-headless");
        const { exitCode, stderr } = await tried("messenger-running", running);
        expect(stderr).toContain("Unrecognized option: --add-modules");
        expect(exitCode).toBe(1);
      },
      5 * minutes,
    );

    test("runs a release of its time, with the password where its launcher takes it", async () => {
      await offerOldMessenger(lab().share);
      await run("systemctl stop jtel-clientmessenger; chown -R jtel: /home/jtel/shared/*");
      const printed = await applyAll(documents(own, "follow"));
      expect(printed).toContain("only its XML was read: this host's Java cannot compile");
      expect(await runs()).toBe("8, 3.12.13");
      const texts = documents(own, "follow");
      expect(await found(texts)).toEqual([]);
      const { messenger } = await look({ messenger: texts.messenger as string });
      expect(messenger?.warnings.join()).toContain("reads it with ps");
    });
  });
});
