import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { WebSocket } from "ws";
import { until } from "../../../lab/deadline.ts";
import { freePort } from "./ports.ts";

export interface Launch {
  /** Content of the vendor's folder. */
  folder: string;
  /** A directory for this test: argument files and attachments. */
  scratch: string;
  name: string;
  hazelcastConfig: string;
  /** JDBC URL, with the password. */
  connection: string;
}

export interface ChatServer {
  port: number;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when the server says that it is ready; rejects with its output when it ends before. */
  ready(): Promise<void>;
  /** The exit code, when it ends. */
  exited: Promise<number | undefined>;
  /** Asks it to stop. */
  stop(): Promise<number | undefined>;
  get(path: string): Promise<Response>;
  post(path: string, body: string): Promise<Response>;
}

/** Starts the program just as its unit file does, the connection in an argument file. */
export const launch = async ({ folder, scratch, name, hazelcastConfig, connection }: Launch): Promise<ChatServer> => {
  const port = await freePort();
  const argumentFile = join(scratch, `${name}.args`);
  const option = `-Dde.jtel.platform.clientmessenger.connection=${connection}`;
  await writeFile(argumentFile, `"${option.replaceAll("\\", "\\\\")}"\n`, { mode: 0o600 });
  const [java = "", ...options] = (await execStart(folder))
    .map((word) => (word.startsWith("-Dde.jtel.platform.clientmessenger.connection=") ? `@${argumentFile}` : word))
    .map((word) => word.replace("/home/jtel/ClientMessenger/conf/hazelcast.xml", hazelcastConfig))
    .map((word) => word.replace("/home/jtel/ClientMessenger", folder));
  const own = [`-Dclientmessenger.port=${port}`, `-Dclientmessenger.server=${name}`];
  const child = execa(java, [...own, ...options], {
    all: true,
    reject: false,
    env: { DATADIR: scratch },
    // A stop that hangs must be seen, not cut short.
    forceKillAfterDelay: false,
  });
  let output = "";
  let over = false;
  child.all.on("data", (data) => (output += data));
  const exited = child.then(({ exitCode }) => {
    over = true;
    return exitCode;
  });
  return {
    port,
    output: () => output,
    ready: () =>
      until(`${name} is ready`, 90, async () => output.includes("ClientMessenger ready on") || over || undefined).then(
        () => {
          if (over) throw new Error(`${name} ended:\n${output}`);
        },
        (error: Error) => {
          throw new Error(`${error.message}. It printed:\n${output}`);
        },
      ),
    exited,
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
    get: (path) => fetch(`http://127.0.0.1:${port}${path}`),
    post: (path, body) => fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body }),
  };
};

/** The words of the unit's `ExecStart`. */
const execStart = async (folder: string): Promise<string[]> => {
  const unit = await readFile(join(folder, "systemd", "jtel-clientmessenger.service"), "utf8");
  const line = unit.replaceAll("\\\n", " ").match(/^ExecStart=(.*)$/m)?.[1] ?? "";
  return line.trim().split(/\s+/);
};

export interface Peer {
  socket: WebSocket;
  send(frame: object | Buffer): void;
  /** The first frame that holds all of `expected`, which may have come already. */
  frame(expected: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The close code, when the server ends the connection. */
  closed: Promise<number>;
}

/** Opens a chat: a visitor's or an agent's end. */
export const enterChat = async (server: ChatServer, query: string): Promise<Peer> => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/?${query}`);
  const frames: Record<string, unknown>[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return {
    socket,
    closed,
    send: (frame) => socket.send(Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)),
    frame: (expected) =>
      until(`a frame with ${JSON.stringify(expected)}`, 10, async () =>
        frames.find((frame) => Object.entries(expected).every(([key, value]) => frame[key] === value)),
      ),
  };
};
