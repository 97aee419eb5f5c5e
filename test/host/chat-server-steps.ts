import { expect } from "vitest";
import { applyCommand, undoCommand } from "../../hosts/launcher.ts";
import type { Lab, LabHost } from "../../lab/lab.ts";
import { installationSections } from "../../render/client-messenger/messenger.ts";
import { messengerRunningDocument } from "../../render/client-messenger/messenger-running.ts";
import { messengerSecretDocument } from "../../render/client-messenger/messenger-secret.ts";
import { hazelcastFile, home, releaseFolder, unitName } from "../../render/client-messenger/places.ts";
import { document, documentDigest } from "../../render/document.ts";

/** Where the lab's chat servers find the vendor's folder. */
export const vendor = `/home/jtel/shared/${releaseFolder}`;

const share = { path: "/home/jtel/shared", hosted: false };

/** The steps of one chat server in their order, without the engine: their documents, and what the host tool makes of them. */
export const chatServerSteps = (lab: Lab, host: LabHost) => {
  /** Standard output of a script that has to succeed. */
  const said = async (script: string, user = "root"): Promise<string> => {
    const { exitCode, stdout, stderr } = await host.exec(script, { user });
    expect(exitCode, stderr).toBe(0);
    return stdout.trim();
  };

  const secret = (): string =>
    messengerSecretDocument(
      {
        ...{ host: "acd-dbm", port: 3306, name: "JTELWeb", user: "root", password: lab.database.password },
        ...{ characterEncoding: "utf8", serverTimezone: "Europe/Berlin", parameters: {} },
      },
      { share, javaVersion: 17 },
    );

  /** The documents that this version sends. */
  const documents = (release = "hold"): Record<string, string> => {
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
    const messenger = document(...installationSections({ share, release, javaVersion: 17, database, unit }));
    const loads = [
      { concern: "hazelcast", digest: documentDigest(hazelcast) },
      { concern: "messenger", digest: documentDigest(messenger) },
      { concern: "messenger-secret", digest: documentDigest(secret()) },
    ];
    const running = messengerRunningDocument({ loads, peers: [], restart: "roll" });
    return { hazelcast, messenger, "messenger-secret": secret(), "messenger-running": running };
  };

  /** Apply one document; what the tool printed, and its exit code. */
  const tried = async (step: string, text: string) => {
    const launch = applyCommand(step, { generation: 1, reason: "test" });
    const { exitCode, stdout, stderr } = await host.exec(launch, { input: text });
    return { exitCode, output: stdout + stderr };
  };

  /** As {@link tried}, for one that has to succeed; what it printed. */
  const apply = async (step: string, text: string): Promise<string> => {
    const { exitCode, output } = await tried(step, text);
    expect(exitCode, output).toBe(0);
    return output;
  };

  /** What a preview sees: with documents what an apply would meet, with null what was applied. */
  const look = async (texts: Record<string, string | null>): Promise<Record<string, Answer>> => {
    const { stdout, stderr } = await host.exec("jtel-chatctl look", { input: `${JSON.stringify({ steps: texts })}\n` });
    const line = stdout.split("\n").find((each) => each.startsWith("\u001ejtel-chatctl "));
    if (!line) throw new Error(stderr);
    return JSON.parse(line.slice("\u001ejtel-chatctl ".length)).steps;
  };

  /** Take all steps back, the last one first. */
  const undo = async (): Promise<string> => {
    let printed = "";
    for (const step of ["messenger-running", "messenger", "messenger-secret", "hazelcast"]) {
      const { exitCode, stdout, stderr } = await host.exec(undoCommand(step));
      expect(exitCode, stderr).toBe(0);
      printed += stdout;
    }
    return printed;
  };

  return { said, secret, documents, tried, apply, look, undo };
};

interface Answer {
  generation: number;
  drifted: boolean;
  reason: string;
  diff: string;
  problems: string[];
  warnings: string[];
}
