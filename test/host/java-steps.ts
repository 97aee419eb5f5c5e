import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { home, releaseFolder } from "../../render/client-messenger/places.ts";
import { firewallDocument } from "../../render/firewall.ts";
import { hazelcastXml } from "../../render/hazelcast.ts";
import { type Java, javaDocument } from "../../render/java.ts";
import { toolDocument } from "../../render/tool.ts";
import type { Bench } from "./bench.ts";
import { chatServerSteps } from "./chat-server-steps.ts";

/** hazelcast.xml is written before the release is installed that reads it. */
const judgedByTheShares = (text = ""): string => text.replace(`${home}/bin`, `/home/jtel/shared/${releaseFolder}/bin`);

/** A whole chat server, Java included: its steps as the stack has them, and what it runs then. */
export const javaSteps = (server: Bench) => {
  const { lab, host, run, look } = server;
  const steps = chatServerSteps(server);
  let original = "";

  /** Every step in its order. */
  const documents = (java: Java, release?: string): Record<string, string> => {
    const addresses = { chatServers: [host().address], loadBalancers: ["10.1.0.11"], publicPorts: [3003] };
    const chat = steps.documents(release, java);
    return {
      tool: toolDocument("jtel-chat/trial"),
      java: javaDocument(java),
      firewall: firewallDocument({ chat: true, loadBalancer: false }, addresses),
      ...chat,
      ...(release === "follow" && { hazelcast: judgedByTheShares(chat.hazelcast) }),
    };
  };

  return {
    documents,
    tried: steps.tried,
    /** Applies every step, each of which has to succeed; what they printed. */
    applyAll: async (texts: Record<string, string>): Promise<string> => {
      let printed = "";
      for (const [step, text] of Object.entries(texts)) printed += await steps.apply(step, text);
      return printed;
    },
    /** What a look finds to do or to complain of. A secret document is compared by the engine, not by a look. */
    found: async (texts: Record<string, string>): Promise<string[]> =>
      Object.entries(await look({ ...texts, "messenger-secret": null })).flatMap(
        ([step, { drifted, reason, problems }]) =>
          drifted || problems.length ? [`${step}: ${[...(drifted ? [reason] : []), ...problems].join("; ")}`] : [],
      ),
    /** Puts a release on the share: the stand-in with this major version of Hazelcast, and the cluster's file as it reads it. */
    offer: async (major: 3 | 5): Promise<void> => {
      const [release, file] = [join(lab().share, releaseFolder), join(lab().share, "hazelcast.xml")];
      original ||= await readFile(file, "utf8");
      await rm(release, { recursive: true });
      await cp(await buildClientMessenger({ hazelcast: `${major}` }), release, { recursive: true });
      const rendered = hazelcastXml(5, { clusterName: "jtel-cluster-LAB", members: [host().address] });
      await writeFile(file, major === 5 ? rendered : original);
      await run(`systemctl stop jtel-clientmessenger; chown -R jtel: /home/jtel/shared/*`);
    },
    /** Java and Hazelcast of the chat server that runs: "21, 5.5.0". */
    runs: async (): Promise<string> => {
      const program = await run("readlink /proc/$(systemctl show --value --property=MainPID jtel-clientmessenger)/exe");
      const jar = await run("ls /home/jtel/ClientMessenger/bin | sed -n 's/^hazelcast-\\(.*\\)[.]jar$/\\1/p'");
      return `${/java-(\d+)-/.exec(program)?.[1]}, ${jar}`;
    },
  };
};
