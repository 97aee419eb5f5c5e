import { expect } from "vitest";
import type { Lab, LabHost } from "../../lab/lab.ts";
import { installationSections } from "../../render/client-messenger/messenger.ts";
import { messengerRunningDocument } from "../../render/client-messenger/messenger-running.ts";
import { messengerSecretDocument } from "../../render/client-messenger/messenger-secret.ts";
import { hazelcastFile, home, releaseFolder, unitName } from "../../render/client-messenger/places.ts";
import { document, documentDigest } from "../../render/document.ts";
import { type Java, javaDocument } from "../../render/java.ts";
import type { Bench } from "./bench.ts";

/** Where the lab's chat servers find the vendor's folder. */
export const vendor = `/home/jtel/shared/${releaseFolder}`;

const share = { path: "/home/jtel/shared", hosted: false };

/** Makes the share's file name only this host: at every start the tool would wait for a member whose host is off. */
export const aloneInTheCluster = async (lab: Lab, host: LabHost): Promise<void> => {
  await host.exec(`sed -i '/${lab.hosts.chatserver2?.address}</d' /home/jtel/shared/hazelcast.xml`);
};

/** The steps of one chat server in their order, without the engine: their documents, and what the host tool makes of them. */
export const chatServerSteps = ({ lab, run, apply, applied, undo, look }: Bench) => {
  const secret = (javaVersion = 17): string =>
    messengerSecretDocument(
      {
        ...{ host: "acd-dbm", port: 3306, name: "JTELWeb", user: "root", password: lab().database.password },
        ...{ characterEncoding: "utf8", serverTimezone: "Europe/Berlin", parameters: {} },
      },
      { share, javaVersion },
    );

  /** The documents that this version sends. @param java that of the step java, where a test has it applied */
  const documents = (release = "hold", java?: Java): Record<string, string> => {
    const javaVersion = java?.version ?? 17;
    const hazelcast = document({
      kind: "files",
      name: hazelcastFile,
      fields: {
        ...{ from: `${share.path}/hazelcast.xml`, mount: share.path, check: "hazelcast", "loaded-by": unitName },
        jars: [`${home}/bin`],
      },
    });
    const database = { host: "acd-dbm", port: 3306 };
    const unit = { accept: [], limits: [] };
    const messenger = document(...installationSections({ share, release, javaVersion, database, unit }));
    const loads = [
      ...(java ? [{ concern: "java", digest: documentDigest(javaDocument(java)) }] : []),
      { concern: "hazelcast", digest: documentDigest(hazelcast) },
      { concern: "messenger", digest: documentDigest(messenger) },
      { concern: "messenger-secret", digest: documentDigest(secret(javaVersion)) },
    ];
    const running = messengerRunningDocument({ loads, peers: [], restart: "roll" });
    return { hazelcast, messenger, "messenger-secret": secret(javaVersion), "messenger-running": running };
  };

  return {
    secret,
    documents,
    look,
    said: run,
    /** Apply one document. */
    tried: (step: string, text: string) => apply(step, text, { user: "root" }),
    /** As `tried`, for one that has to succeed; what it printed. */
    apply: (step: string, text: string) => applied(step, text, { user: "root" }),
    /** Take all steps back, the last one first; what that printed. */
    undo: async (): Promise<string> => {
      let printed = "";
      for (const step of ["messenger-running", "messenger", "messenger-secret", "hazelcast"]) {
        const { exitCode, stdout, stderr } = await undo(step);
        expect(exitCode, stderr).toBe(0);
        printed += stdout;
      }
      return printed;
    },
  };
};
