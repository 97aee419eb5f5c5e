import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { until } from "../../../lab/deadline.ts";
import { ensurePackages } from "../../../lab/hosts/debian.ts";
import { freePort } from "./ports.ts";

export interface MariaDb extends AsyncDisposable {
  port: number;
  /** Of `root`. Holds every character that JDBC URLs, argument files or SQL treat in a way of their own. */
  password: string;
  /** One value per line, as the client prints it. */
  query(sql: string): Promise<string[]>;
}

/** Whether a MariaDB is installed, or may be. */
export const canRunMariaDb = (): boolean => process.getuid?.() === 0 || existsSync("/usr/sbin/mariadbd");

/** A real MariaDB with an empty database `JTELWeb` on 127.0.0.1, in a directory of its own. */
export const startMariaDb = async (): Promise<MariaDb> => {
  await ensurePackages(["mariadb-server"], console.log);
  const directory = await mkdtemp(join(tmpdir(), "mariadb-"));
  const [data, socket, init] = ["data", "socket", "init.sql"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const password = `${randomBytes(8).toString("hex")}&%#+ '"\\?=/@:$`;
  const port = await freePort();
  await writeFile(init, initialStatements(password), { mode: 0o600 });
  await execa("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, "--user=root", "--skip-test-db"]);
  const server = execa(
    "/usr/sbin/mariadbd",
    [
      "--no-defaults",
      "--user=root",
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      "--skip-name-resolve",
      `--init-file=${init}`,
    ],
    { reject: false, stdout: "ignore" },
  );
  await until("MariaDB answers", 20, () => accepts(port));
  return {
    port,
    password,
    query: async (sql) =>
      (
        await execa(
          "mariadb",
          ["--no-defaults", `--socket=${socket}`, "--default-character-set=utf8mb4", "--skip-column-names", "JTELWeb"],
          { input: sql },
        )
      ).stdout.split("\n"),
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await server;
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** One statement per line. With `skip-name-resolve`, 127.0.0.1 is a host of its own beside localhost. */
const initialStatements = (password: string): string =>
  `CREATE DATABASE JTELWeb;\nCREATE USER 'root'@'127.0.0.1' IDENTIFIED BY '${password.replace(/['\\]/g, "\\$&")}';\nGRANT ALL ON JTELWeb.* TO 'root'@'127.0.0.1';\n`;

const accepts = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket
      .once("data", () => resolve(true))
      .once("error", () => resolve(undefined))
      .once("close", () => resolve(undefined));
    socket.once("data", () => socket.destroy());
  });
