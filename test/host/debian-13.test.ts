import { beforeAll, describe, expect, test } from "vitest";
import { minutes } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import type { Java } from "../../render/java.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";
import { aloneInTheCluster } from "./chat-server-steps.ts";
import { javaSteps } from "./java-steps.ts";

const runnable = await bootable("a host that is upgraded to Debian 13");

const server = bench({ name: "debian-13", on: "chatserver1", beside: ["acd-dbm"], java: true, release: "bookworm" });
const { lab, host, run } = server;
const { documents, applyAll, found, runs } = javaSteps(server);

const java17: Java = { ...javaOf("bookworm"), onDestroy: "keep" };

/** What an upgrade of Debian leaves as it is. */
const kept = "/etc/jtel-chat /etc/systemd/system /etc/ufw /usr/local /var/lib/jtel-chat /home/jtel/ClientMessenger";

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

  test("runs on the Java 21 of Debian 13", async () => {
    expect(await applyAll(documents(java17))).toContain("healthy");
    expect(await runs()).toBe("21, 3.12.13");
    expect(await found(documents(java17))).toEqual([]);
  });
});
