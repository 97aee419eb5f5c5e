import { chatPort } from "../config/ports.ts";
import type { Section } from "./document.ts";
import { passwordProperty } from "./hazelcast.ts";
import { fill, templateText } from "./template.ts";

/** ClientMessenger's database, as its JDBC URL needs it. */
export interface Database {
  host: string;
  port: number;
  name: string;
  user: string;
  password: string;
  characterEncoding: string;
  serverTimezone: string;
  /** Further settings of the driver, e.g. `{ useSSL: "false" }`. */
  parameters: Record<string, string>;
}

/** What ClientMessenger has to know and nobody else may. */
export interface Secrets extends Database {
  /** Password of the Hazelcast group, where the rendered hazelcast.xml refers to it. */
  hazelcastPassword?: string | undefined;
}

/** Where ClientMessenger lives on every chat server (vendor page "ClientMessenger"). */
export const home = "/home/jtel/ClientMessenger";

/** Its Hazelcast configuration. */
export const hazelcastFile = `${home}/conf/hazelcast.xml`;

/** Its systemd unit. */
export const unitName = "jtel-clientmessenger.service";

/** Folder of what only root reads. */
const secretsFolder = "/etc/jtel-chat";

/** Folder of the vendor's release below the share. */
export const releaseFolder = "JTELCarrierPortal/Utils/Install/ClientMessenger";

/** The system property with the connection. */
const connectionProperty = "de.jtel.platform.clientmessenger.connection";

/** Start of the argument that carries the database connection. */
const connectionArgument = `-D${connectionProperty}=`;

/** MySQL's own port, which a URL leaves out. */
const mysqlPort = 3306;

/**
 * The JDBC URL. Connector/J splits the query at `&`, cuts at `#` and URL-decodes, so every name and value is percent-encoded
 * (Connector/J developer guide, "Connection URL Syntax").
 */
export const jdbcUrl = (database: Database): string => {
  const { host, port, name, user, password, characterEncoding, serverTimezone, parameters } = database;
  const query = Object.entries({ user, password, characterEncoding, serverTimezone, ...parameters });
  const server = (host.includes(":") ? `[${host}]` : host) + (port === mysqlPort ? "" : `:${port}`);
  return `jdbc:mysql://${server}/${name}?${query.map((pair) => pair.map(percentEncoded).join("=")).join("&")}`;
};

/** How the connection reaches the process: a file for root only, and the field of the unit that names it. */
interface Handover {
  path: string;
  field: "argument-file" | "environment-file";
  text: (secrets: Secrets) => string;
}

/** Java 8's launcher reads no argument file (java(1), "@argfiles", since 9): there it is a variable, which ps shows. */
const handover = (javaVersion: number): Handover =>
  javaVersion < 9
    ? { path: `${secretsFolder}/clientmessenger.env`, field: "environment-file", text: environmentFileText }
    : { path: `${secretsFolder}/clientmessenger.args`, field: "argument-file", text: argumentFileText };

/** The Java argument file (java(1), "@argfiles"): one quoted argument a line, `\` and `"` escaped. */
export const argumentFileText = ({ hazelcastPassword, ...database }: Secrets): string =>
  [connection(database), hazelcastPassword && `-D${passwordProperty}=${hazelcastPassword}`]
    .map((argument) => (argument ? `"${argument.replaceAll(/[\\"]/g, "\\$&")}"\n` : ""))
    .join("");

/** The environment file (systemd.exec(5), "EnvironmentFile="): one quoted variable, what a shell would expand escaped. */
export const environmentFileText = (database: Database): string =>
  `JTEL_CHAT_CONNECTION="${connection(database).replaceAll(/[\\"`$]/g, "\\$&")}"\n`;

const connection = (database: Database): string => connectionArgument + jdbcUrl(database);

/** Lines of the drop-in beside the vendor's unit. */
export const dropIn = (values: { dataDirectory: string; mount?: string }): string =>
  fill("etc/systemd/system/jtel-clientmessenger.service.d/50-jtel-chat.conf", values);

/** Where ClientMessenger keeps attachments; the vendor's two paths differ in case, too. */
export const dataDirectory = (share: { path: string; hosted: boolean }): string =>
  share.hosted ? "/srv/jtel/shared/Data/Clients/" : `${share.path}/Data/clients/`;

/** Time zones keep their slash, as everybody writes them; JDBC reads both. */
const percentEncoded = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/");

/** Where the storage server's share is on a host. */
interface Share {
  path: string;
  /** The share's home is this host itself. */
  hosted: boolean;
}

/** What ClientMessenger's installation depends on. */
export interface Installation {
  share: Share;
  /** `hold`, `follow`, or a release's digest. */
  release: string;
  database: Pick<Database, "host" | "port">;
  /** Major release of the Java that runs it. */
  javaVersion: number;
}

/** What makes the program, its unit and the update script, and looks at the database beforehand. */
export const installationSections = (installation: Installation): Section[] => [
  { kind: "database", name: installation.database.host, fields: { port: String(installation.database.port) } },
  releaseSection(installation),
  unitSection(installation),
  {
    kind: "files",
    name: "/usr/local/bin/updatesc.sh",
    fields: { mode: "0755", content: templateText("usr/local/bin/updatesc.sh") },
  },
];

/** The file with the connection, which the host tries before it writes it: with the driver that the program brings. */
export const connectionSection = (
  secrets: Secrets,
  { share, javaVersion }: Omit<Installation, "database">,
): Section => {
  const { path, text, field } = handover(javaVersion);
  const { host, port, user, name } = secrets;
  const drivers = [`${home}/bin`, `${vendorFolder(share)}/bin`];
  return {
    kind: "secret",
    name: path,
    fields: {
      "loaded-by": unitName,
      ...{ host, port: String(port), user, database: name },
      drivers: field === "argument-file" ? drivers : undefined,
      content: text(secrets),
    },
  };
};

/**
 * The running, healthy process, in one Hazelcast cluster with the others; `loads` are the steps whose result it reads at its
 * start, each with its digest, `peers` the chat servers as `ADDRESS NAME`, with `later` where one is restarted after this one.
 */
export const runningSection = (loads: string[], peers: string[]): Section => ({
  kind: "service",
  name: unitName,
  fields: {
    loads,
    healthy: `ws://127.0.0.1:${chatPort}/`,
    within: "90",
    cluster: hazelcastFile,
    "cluster-within": "30",
    "cluster-hosts": peers,
  },
});

const owner = "jtel:jtel";

const vendorFolder = ({ path }: Share): string => `${path}/${releaseFolder}`;

const releaseSection = ({ share, release }: Installation): Section => ({
  kind: "release",
  name: home,
  fields: {
    from: vendorFolder(share),
    mount: share.hosted ? undefined : share.path,
    owner,
    release,
    "loaded-by": unitName,
  },
});

const unitSection = ({ share, javaVersion }: Installation): Section => {
  const { path, field } = handover(javaVersion);
  const data = dataDirectory(share);
  return {
    kind: "unit",
    name: unitName,
    fields: {
      from: `${home}/systemd/${unitName}`,
      offered: `${vendorFolder(share)}/systemd/${unitName}`,
      argument: connectionArgument,
      [field]: path,
      data,
      "drop-in": dropIn({ dataDirectory: data, ...(share.hosted ? {} : { mount: share.path }) }),
    },
  };
};
