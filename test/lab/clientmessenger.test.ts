import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { minutes, seconds } from "../../lab/deadline.ts";
import { buildClientMessenger } from "../../lab/stand-ins/clientmessenger/build.ts";
import { type ChatServer, enterChat, launch } from "./clientmessenger/chat-server.ts";
import { canRunMariaDb, type MariaDb, startMariaDb } from "./clientmessenger/mariadb.ts";
import { freePort } from "./clientmessenger/ports.ts";

vi.setConfig({ testTimeout: 30 * seconds, hookTimeout: 30 * seconds });

let database: MariaDb;
let scratch: string;

const runnable = canRunMariaDb() || process.env.CI === "true";
if (!runnable)
  console.warn("SKIPPED: the ClientMessenger stand-in, for want of MariaDB: apt-get install mariadb-server");

beforeAll(async () => {
  if (!runnable) return;
  scratch = await mkdtemp(join(tmpdir(), "clientmessenger-test-"));
  database = await startMariaDb();
}, 2 * minutes);

afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  if (scratch) await rm(scratch, { recursive: true, force: true });
});

const connection = (password: string): string =>
  `jdbc:mysql://127.0.0.1:${database.port}/JTELWeb?user=root&password=${encodeURIComponent(password)}&characterEncoding=utf8&serverTimezone=Europe/Berlin`;

const hazelcastXml = async (major: "3" | "5"): Promise<string> => {
  const template = await readFile(join(import.meta.dirname, "clientmessenger", `hazelcast-${major}.xml`), "utf8");
  const file = join(scratch, `hazelcast-${major}.xml`);
  await writeFile(file, template.replaceAll("{{port}}", String(await freePort())));
  return file;
};

describe.skipIf(!runnable).each(["3", "5"] as const)("two servers with Hazelcast %s", (major) => {
  let one: ChatServer;
  let two: ChatServer;

  beforeAll(async () => {
    const folder = await buildClientMessenger({ hazelcast: major, progress: console.log });
    const common = {
      folder,
      scratch,
      hazelcastConfig: await hazelcastXml(major),
      connection: connection(database.password),
    };
    one = await launch({ ...common, name: "chatserver1" });
    await one.ready();
    two = await launch({ ...common, name: "chatserver2" });
    await two.ready();
  }, 5 * minutes);

  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()]);
  });

  test("find each other, say so, and know the database", async () => {
    expect(two.output()).toContain(`ClientMessenger ready on ${two.port}, cluster jtel-cluster-test with 2 members`);
    expect(await (await one.get("/status")).json()).toMatchObject({
      server: "chatserver1",
      cluster: "jtel-cluster-test",
      members: [expect.stringMatching(/^127\.0\.0\.1:/), expect.stringMatching(/^127\.0\.0\.1:/)],
      database: "ok",
    });
  });

  test("carry a chat from one to the other and back, and store it", async () => {
    const chat = `crossing-${major}`;
    const visitor = await enterChat(one, `role=visitor&chat=${chat}&name=Grete`);
    const agent = await enterChat(two, "role=agent&chat=*&name=Anna");
    expect(await agent.frame({ type: "welcome" })).toMatchObject({ server: "chatserver2", members: 2 });

    visitor.send({ text: "Grüß Gott 👋" });
    expect(await agent.frame({ chat })).toMatchObject({
      from: "Grete",
      role: "visitor",
      text: "Grüß Gott 👋",
      server: "chatserver1",
    });
    agent.send({ chat, text: "Guten Tag" });
    expect(await visitor.frame({ role: "agent" })).toMatchObject({
      from: "Anna",
      text: "Guten Tag",
      server: "chatserver2",
    });

    expect(await database.query(`SELECT text FROM ChatMessage WHERE chat = '${chat}' ORDER BY createdAt`)).toEqual([
      "Grüß Gott 👋",
      "Guten Tag",
    ]);
    expect(await (await two.get("/status")).json()).toMatchObject({ chats: 1 });
  });

  test("keep chats apart", async () => {
    const [first, second] = [await enterChat(one, `chat=first-${major}`), await enterChat(two, `chat=second-${major}`)];
    const agent = await enterChat(one, "role=agent");
    first.send({ text: "only mine" });
    await agent.frame({ text: "only mine" });
    second.send({ text: "mine too" });
    await second.frame({ text: "mine too" });
    await expect(
      Promise.race([second.frame({ text: "only mine" }), agent.frame({ text: "mine too" }).then(() => "not seen")]),
    ).resolves.toBe("not seen");
  });

  test("hand a WhatsApp message to an agent on the other server, and its delivery status", async () => {
    const agent = await enterChat(two, "role=agent");
    const message = {
      event: "MoMessage",
      from: "4915112345678",
      to: "4989123",
      content: { contentType: "text", text: "Hallo" },
    };
    expect((await one.post("/incoming", JSON.stringify(message))).status).toBe(200);
    expect(await agent.frame({ chat: "whatsapp:4915112345678" })).toMatchObject({
      type: "message",
      text: "Hallo",
      server: "chatserver1",
    });

    const status = { event: "MessageStatus::seen", messageId: `id-${major}`, to: "4915112345678" };
    expect((await one.post("/delivery", JSON.stringify(status))).status).toBe(200);
    expect(await agent.frame({ type: "delivery", id: `id-${major}` })).toMatchObject({ status: "MessageStatus::seen" });
  });

  test("store an attachment below DATADIR", async () => {
    const chat = await enterChat(one, `chat=attachment-${major}`);
    chat.send(Buffer.from("a picture"));
    const { attachment } = await chat.frame({ type: "message" });
    expect(await readFile(join(scratch, String(attachment)), "utf8")).toBe("a picture");
  });

  test("serve the chat window, and nothing beside it", async () => {
    expect(await (await one.get("/gui/")).text()).toContain("<title>Chat</title>");
    expect((await one.get("/gui/chat.js")).headers.get("content-type")).toMatch("javascript");
    expect((await one.get("/gui/..%2fconf/logging.properties")).status).toBe(404);
    expect((await one.get("/")).status).toBe(404);
    expect((await one.get("/incoming")).status).toBe(404);
  });

  test.each([
    "",
    "[]",
    "{}",
    '{"event":"MoMessage","from":"x","content":{}}',
    '{"event":"Other","from":"49151","content":{}}',
  ])("refuse %j as an incoming message", async (body) => {
    expect((await one.post("/incoming", body)).status).toBe(400);
  });

  test("refuse what is too large, and go on", async () => {
    expect((await one.post("/incoming", "x".repeat(65 * 1024))).status).toBe(413);
    const chat = await enterChat(one, "role=visitor");
    chat.send({ text: "x".repeat(20_000) });
    // 1006: the connection ended before the reason arrived.
    expect([1009, 1006]).toContain(await chat.closed);
    const other = await enterChat(one, "role=visitor");
    other.send({ words: "none" });
    expect(await other.frame({ type: "error" })).toMatchObject({ text: expect.stringContaining("Expected") });
  });

  test("refuse a role or a chat that nobody may have", async () => {
    for (const query of ["role=admin", "chat=*", "chat=whatsapp:49151", "role=agent&chat=a%20b"])
      expect(await (await enterChat(one, query)).closed, query).toBe(1008);
  });

  test("stop at SIGTERM within seconds, telling their peers; the other goes on", async () => {
    const visitor = await enterChat(two, "chat=goodbye");
    const started = Date.now();
    expect(await two.stop()).toBe(143);
    expect(await visitor.closed).toBe(1001);
    expect(Date.now() - started).toBeLessThan(8000);
    await vi.waitFor(async () =>
      expect(await (await one.get("/status")).json()).toMatchObject({ members: [expect.any(String)] }),
    );
    for (const { output } of [one, two]) expect(output()).not.toContain(database.password.slice(0, 16));
  });
});

describe.skipIf(!runnable)("a start that cannot succeed ends with 1 and says why", () => {
  let folder: string;
  const start = async (changes: {
    connection?: string;
    hazelcastConfig?: string;
    scratch?: string;
  }): Promise<string> => {
    const hazelcastConfig = await hazelcastXml("3");
    const server = await launch({
      folder,
      scratch,
      name: "chatserver1",
      hazelcastConfig,
      connection: connection(database.password),
      ...changes,
    });
    expect(await server.exited).toBe(1);
    return server.output();
  };

  beforeAll(async () => {
    folder = await buildClientMessenger();
  }, 5 * minutes);

  test("wrong password, which is not shown", async () => {
    const output = await start({ connection: connection("sesam-öffne-dich") });
    expect(output).toMatch(/cannot start: database jdbc:mysql:\/\/127\.0\.0\.1:\d+\/JTELWeb: access denied/);
    expect(output).not.toMatch(/sesam/);
  });

  test("no database", async () => {
    const output = await start({
      connection: `jdbc:mysql://127.0.0.1:${await freePort()}/JTELWeb?user=root&password=sesam`,
    });
    expect(output).toContain("no answer from the database server");
    expect(output).not.toMatch(/sesam/);
  });

  test("a connection that is no JDBC URL", async () => {
    const output = await start({ connection: "jdbc:mysql://[acd-dbm/JTELWeb?password=sesam" });
    expect(output).toContain("cannot start: database");
    expect(output).not.toMatch(/sesam/);
  });

  test("no hazelcast.xml", async () => {
    expect(await start({ hazelcastConfig: join(scratch, "none.xml") })).toContain(
      "cannot read the Hazelcast configuration",
    );
  });

  test("a hazelcast.xml of another major release", async () => {
    expect(await start({ hazelcastConfig: await hazelcastXml("5") })).toContain("invalid Hazelcast configuration");
  });
});
