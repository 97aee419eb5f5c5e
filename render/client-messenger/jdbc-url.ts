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

/** Time zones keep their slash, as everybody writes them; JDBC reads both. */
const percentEncoded = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/");
