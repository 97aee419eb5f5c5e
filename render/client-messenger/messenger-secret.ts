import type { Share } from "../../config/schema.ts";
import { document } from "../document.ts";
import { passwordProperty } from "../hazelcast.ts";
import { connectionArgument, type Handover, handover } from "./handover.ts";
import { type Database, jdbcUrl } from "./jdbc-url.ts";
import { home, unitName, vendorFolder } from "./places.ts";

/** What ClientMessenger has to know and nobody else may. */
export interface Secrets extends Database {
  /** Password of the Hazelcast group, where the rendered hazelcast.xml refers to it. */
  hazelcastPassword?: string | undefined;
}

/** The file with the connection, which the host tries before it writes it: with the driver that the program brings. */
export const messengerSecretDocument = (
  secrets: Secrets,
  { share, javaVersion }: { share: Pick<Share, "path">; javaVersion: number },
): string => {
  const { path, field } = handover(javaVersion);
  const { host, port, user, name } = secrets;
  const drivers = [`${home}/bin`, `${vendorFolder(share)}/bin`];
  return document({
    kind: "secret",
    name: path,
    fields: {
      "loaded-by": unitName,
      ...{ host, port: String(port), user, database: name },
      drivers: field === "argument-file" ? drivers : undefined,
      content: texts[field](secrets),
    },
  });
};

/** The Java argument file (java(1), "@argfiles"): one quoted argument a line, `\` and `"` escaped. */
export const argumentFileText = ({ hazelcastPassword, ...database }: Secrets): string =>
  [connection(database), hazelcastPassword && `-D${passwordProperty}=${hazelcastPassword}`]
    .map((argument) => (argument ? `"${argument.replaceAll(/[\\"]/g, "\\$&")}"\n` : ""))
    .join("");

/** The environment file (systemd.exec(5), "EnvironmentFile="): one quoted variable, what a shell would expand escaped. */
export const environmentFileText = (database: Database): string =>
  `JTEL_CHAT_CONNECTION="${connection(database).replaceAll(/[\\"`$]/g, "\\$&")}"\n`;

const texts: Record<Handover["field"], (secrets: Secrets) => string> = {
  "argument-file": argumentFileText,
  "environment-file": environmentFileText,
};

const connection = (database: Database): string => connectionArgument + jdbcUrl(database);
