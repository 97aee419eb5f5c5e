import { beforeAll, expect } from "vitest";
import { until } from "../../../lab/deadline.ts";
import type { Database } from "../../../render/client-messenger/jdbc-url.ts";
import { type Installation, installationSections } from "../../../render/client-messenger/messenger.ts";
import { messengerRunningDocument } from "../../../render/client-messenger/messenger-running.ts";
import { messengerSecretDocument } from "../../../render/client-messenger/messenger-secret.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { document, documentDigest } from "../../../render/document.ts";
import { factsOf } from "../../../report/seen.ts";
import { bench } from "../bench.ts";
import { aloneInTheCluster, vendor } from "../chat-server-steps.ts";

/** The server that is tested. */
const server = bench({ name: "messenger", on: "chatserver1", beside: ["acd-dbm"], java: true });

export const { lab, host, ...tool } = server;

const mounted = { path: "/home/jtel/shared", hosted: false };

export const system = `/etc/systemd/system/${unitName}`;

export const { apply, install, installRecovery, run: said } = tool;

/** A script that may fail. */
export const run = (script: string) => host().exec(script);

/** What a test wants to be different from the stack that most of them use. */
export interface Change extends Partial<Pick<Installation, "share" | "release" | "javaVersion" | "unit">> {
  database?: Partial<Database>;
  restart?: "hold" | "roll";
}

export const values = ({ database, ...change }: Change) => ({
  share: mounted,
  release: "hold",
  javaVersion: 17,
  unit: { accept: [], limits: [] },
  ...change,
  database: {
    ...{ host: "acd-dbm", port: 3306, name: "JTELWeb", user: "root", password: lab().database.password },
    ...{ characterEncoding: "utf8", serverTimezone: "Europe/Berlin", parameters: {} },
    ...database,
  },
});

/** The documents of a chat server's steps, in their order. */
export const documents = (change: Change = {}): Record<string, string> => {
  const given = values(change);
  const secret = messengerSecretDocument(given.database, given);
  const installation = document(...installationSections(given));
  const hazelcast = document({
    kind: "files",
    name: `${home}/conf/hazelcast.xml`,
    fields: {
      from: `${given.share.path}/hazelcast.xml`,
      mount: given.share.hosted ? undefined : given.share.path,
      "loaded-by": unitName,
    },
  });
  const loads = [
    { concern: "hazelcast", digest: documentDigest(hazelcast) },
    { concern: "messenger", digest: documentDigest(installation) },
    { concern: "messenger-secret", digest: documentDigest(secret) },
  ];
  return {
    hazelcast,
    "messenger-secret": secret,
    messenger: installation,
    "messenger-running": messengerRunningDocument({ loads, peers: [], restart: change.restart ?? "roll" }),
  };
};
/** Every step, each of which has to succeed; what they printed. */
export const up = async (change: Change = {}): Promise<string> => {
  let printed = "";
  for (const [step, text] of Object.entries(documents(change))) {
    const { exitCode, output } = await apply(step, text);
    expect(exitCode, output).toBe(0);
    printed += output;
  }
  return printed;
};

export const destroy = async (): Promise<void> => {
  for (const step of ["messenger-running", "messenger", "messenger-secret", "hazelcast"]) {
    const { exitCode, stderr } = await tool.undo(step);
    expect(exitCode, stderr).toBe(0);
  }
};

/** What a preview would see; a secret is not sent along. */
export const look = (change: Change = {}) => {
  const { messenger = "", hazelcast = "" } = documents(change);
  return tool.look({ hazelcast, messenger, "messenger-secret": null, "messenger-running": null });
};

export const problems = async (change: Change = {}) =>
  Object.values(await look(change)).flatMap((answer) => answer.problems);

/** Why an apply would restart chat, as a preview hears it. */
export const dueRestarts = async (change: Change = {}) =>
  Object.values(await look(change)).flatMap(({ facts }) => Object.values(factsOf(facts, "restarts")));

export const warnings = async (change: Change = {}) =>
  Object.values(await look(change)).flatMap((answer) => answer.warnings);

/** Lists what the running process has not loaded of the host's files, where that differs from the last apply. */
export const runs = async (): Promise<string[]> =>
  (await tool.status())["messenger-running"]?.drift.filter((item) => item.includes(" runs: ")) ?? ["no such step"];

export const drift = async () =>
  Object.values(await look()).flatMap(({ drifted, reason }) => (drifted ? [reason] : []));
const pythonGet =
  "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:3000/status\", timeout=5).read().decode())'";

/** What ClientMessenger itself says about its database, by its own connection. */
export const status = (): Promise<{ database: string }> =>
  until("ClientMessenger's status", 60, async () => {
    const { exitCode, stdout } = await host().exec(pythonGet);
    return exitCode === 0 ? JSON.parse(stdout) : undefined;
  });

export const starts = async (): Promise<number> =>
  Number(await said(`journalctl -u ${unitName} | grep -c 'Started '; true`));

export const installedRelease = async (): Promise<string> => (await tool.status()).messenger?.release ?? "";

/** Bytes, modes and owners of everything that a person may have made. */
export const ownedByCustomer = () =>
  said(`find ${home} ${system}* /usr/local/bin /etc/jtel-chat -xdev -printf '%p %y %m %u %l\\n' 2>/dev/null | sort
    find ${home} ${system}* /usr/local/bin -xdev -type f -exec sha256sum {} + | sort`);

/** Runs a statement in the database's own client. `value` is its variable @value, so that no shell or SQL reads it. */
const sql = async (statement: string, value = ""): Promise<void> => {
  const hex = Buffer.from(value).toString("hex");
  const text = `SET @value = CONVERT(UNHEX('${hex}') USING utf8mb4);\n${statement};\n`;
  const { exitCode, stderr } = await server
    .hostNamed("acd-dbm")
    .exec("mariadb --default-character-set=utf8mb4 --batch", {
      input: text,
    });
  expect(exitCode, stderr).toBe(0);
};

/** The user `chat`, with a password that may hold anything. */
export const givePassword = (password: string) =>
  sql(
    `EXECUTE IMMEDIATE CONCAT("CREATE OR REPLACE USER chat@'%' IDENTIFIED BY ", QUOTE(@value));
     GRANT ALL ON JTELWeb.* TO chat@'%'`,
    password,
  );

/** A release on the share that differs from the one before. */
export const offer = (version: string) =>
  said(`cd ${vendor}/bin && rm -f version-* && echo ${version} > version-${version}.txt`);
// A member whose host is off would be waited for at every start.
beforeAll(() => aloneInTheCluster(lab(), host()));
