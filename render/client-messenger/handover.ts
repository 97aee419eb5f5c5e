/** Start of the argument that carries the database connection. */
export const connectionArgument = "-Dde.jtel.platform.clientmessenger.connection=";

/** Folder of what only root reads. */
const secretsFolder = "/etc/jtel-chat";

/** How the connection reaches the process: a file for root only, and the field of the unit that names it. */
export interface Handover {
  path: string;
  field: "argument-file" | "environment-file";
}

/** Java 8's launcher reads no argument file (java(1), "@argfiles", since 9): there it is a variable, which ps shows. */
export const handover = (javaVersion: number): Handover =>
  javaVersion < 9
    ? { path: `${secretsFolder}/clientmessenger.env`, field: "environment-file" }
    : { path: `${secretsFolder}/clientmessenger.args`, field: "argument-file" };
