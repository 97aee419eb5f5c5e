import { passwordProperty } from "./hazelcast.ts";
import { fill } from "./template.ts";

/** ClientMessenger's database, as its JDBC URL needs it. */
export interface Database {
  host: string;
  name: string;
  user: string;
  password: string;
  characterEncoding: string;
  serverTimezone: string;
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

/** The file with the Java arguments that carry passwords; 0600, root's. */
export const argumentFile = "/etc/jtel-chat/clientmessenger.args";

/** Start of the argument that carries the database connection. */
export const connectionArgument = "-Dde.jtel.platform.clientmessenger.connection=";

/** Folder of the vendor's release below the share. */
export const releaseFolder = "JTELCarrierPortal/Utils/Install/ClientMessenger";

/**
 * The JDBC URL. Connector/J splits the query at `&`, cuts at `#` and URL-decodes, so every value is percent-encoded
 * (Connector/J developer guide, "Connection URL Syntax").
 */
export const jdbcUrl = ({ host, name, user, password, characterEncoding, serverTimezone }: Database): string => {
  const query = Object.entries({ user, password, characterEncoding, serverTimezone });
  return `jdbc:mysql://${host}/${name}?${query.map(([key, value]) => `${key}=${percentEncoded(value)}`).join("&")}`;
};

/** The Java argument file (java(1), "@argfiles"): one quoted argument a line, `\` and `"` escaped. */
export const argumentFileText = ({ hazelcastPassword, ...database }: Secrets): string =>
  [connectionArgument + jdbcUrl(database), hazelcastPassword && `-D${passwordProperty}=${hazelcastPassword}`]
    .map((argument) => (argument ? `"${argument.replaceAll(/[\\"]/g, "\\$&")}"\n` : ""))
    .join("");

/** Lines of the drop-in beside the vendor's unit. */
export const dropIn = (values: { dataDirectory: string; mount?: string }): string =>
  fill("etc/systemd/system/jtel-clientmessenger.service.d/50-jtel-chat.conf", values);

/** Where ClientMessenger keeps attachments; the vendor's two paths differ in case, too. */
export const dataDirectory = (share: { path: string; hosted: boolean }): string =>
  share.hosted ? "/srv/jtel/shared/Data/Clients/" : `${share.path}/Data/clients/`;

/** The vendor's update script, /usr/local/bin/updatesc.sh. */
export const updateScript = (share: { path: string }): string =>
  fill("usr/local/bin/updatesc.sh", {
    source: `${share.path}/${releaseFolder}/bin`,
    target: `${home}/bin`,
    unit: unitName,
  });

/** Time zones keep their slash, as everybody writes them; JDBC reads both. */
const percentEncoded = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/");
