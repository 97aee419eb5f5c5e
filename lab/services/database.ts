import { randomInt } from "node:crypto";
import type { LabRecord } from "../record.ts";

export const databaseName = "JTELWeb";
export const databaseUser = "root";

/**
 * Every character that some layer between the stack file and the driver treats in a way of its own:
 * JDBC URL (`& # + ? % = /`), systemd (`% $ " ' \`), shell (blank and quotes), Java argument file (`# " \`), URL userinfo (`@ : /`).
 */
const awkward = `&'"\\%$#+ @:/?=`;

/** Random letters around all the awkward characters, in this order so that a failure can be repeated. */
export const newPassword = (): string => `${letters(8)}${awkward}${letters(8)}`;

const letters = (count: number): string =>
  Array.from({ length: count }, () => String.fromCharCode("a".charCodeAt(0) + randomInt(26))).join("");

/**
 * MariaDB runs this at every start. A user that exists is left alone, so that a password which a test has changed stays changed.
 */
export const databaseInitialisation = ({
  databasePassword,
}: LabRecord): string => `CREATE DATABASE IF NOT EXISTS ${databaseName} CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '${databaseUser}'@'%' IDENTIFIED BY '${databasePassword.replace(/['\\]/g, "\\$&")}';
GRANT ALL PRIVILEGES ON *.* TO '${databaseUser}'@'%' WITH GRANT OPTION;
`;
