import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { local, remote, type types } from "@pulumi/command";
import { type CustomResourceOptions, secret } from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { seconds, until } from "../../lab/deadline.ts";
import {
  freePort,
  type SshAgent,
  type SshServer,
  startSshAgent,
  startSshServer,
  strangersKey,
  whyNoSshServer,
} from "./ssh-server.ts";
import { type ThrowAwayStack, throwAwayStack } from "./throw-away-stack.ts";

type Connection = types.input.remote.ConnectionArgs;
type Inputs = Partial<remote.CommandArgs>;

const missing = await whyNoSshServer();
if (missing !== undefined) {
  if (process.env.CI === "true") throw new Error(`The contract test ${missing}`);
  console.warn(`SKIPPED: the contract test of the command plugin ${missing}`);
}

/** What the project relies on in the `command` plugin: true of the official one and of the stand-in. */
describe.skipIf(missing !== undefined)("the command plugin", { timeout: 30 * seconds }, () => {
  let directory: string;
  let agent: SshAgent;
  let server: SshServer;
  let other: SshServer;
  let stack: ThrowAwayStack;
  /** Written by the commands: shows what ran, where, in which order. */
  let trace: string;
  let connection: Connection;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "command-plugin-"));
    agent = await startSshAgent(directory);
    server = await startSshServer(directory, "server", agent);
    other = await startSshServer(directory, "other", agent);
    trace = join(directory, "trace");
    stack = await throwAwayStack(directory);
  });

  afterAll(async () => {
    await Promise.all([server, other, agent].map((started) => started?.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await rm(trace, { force: true });
    await stack.reset();
    stack.env.SSH_AUTH_SOCK = agent.socket;
    connection = to(server);
  });

  const to = ({ port, user, hostKey }: SshServer): Connection => ({
    host: "127.0.0.1",
    port,
    user,
    hostKey,
    dialErrorLimit: 1,
    perDialTimeout: 5,
  });
  const up = (inputs: Inputs, options?: CustomResourceOptions) =>
    stack.up(async () => void new remote.Command("c", { connection, ...inputs }, options));
  const upLocal = (inputs: local.CommandArgs) => stack.up(async () => void new local.Command("c", inputs));
  const note = (text: string) => `echo "${text}" >> ${trace}`;
  const ran = async () => (existsSync(trace) ? (await readFile(trace, "utf8")).trim().split("\n") : []);

  describe("creates", () => {
    test("once, with stdin, and records what the command said", async () => {
      const inputs = { create: `${note("create")}; cat; echo oh >&2`, stdin: "first\nsecond\n" };
      expect(await up(inputs)).toMatchObject({ failed: false, steps: ["create"] });
      expect((await stack.resource("c"))?.outputs).toMatchObject({ stdout: "first\nsecond", stderr: "oh" });

      expect(await up(inputs)).toMatchObject({ failed: false, steps: [] });
      expect(await ran()).toEqual(["create"]);
    });

    test("nothing in a preview, and dials nobody", async () => {
      const dead = { ...connection, port: await freePort() };
      const program = async () => void new remote.Command("c", { connection: dead, create: note("create") });
      expect(await stack.preview(program)).toMatchObject({ failed: false, steps: ["create"] });
      expect(await ran()).toEqual([]);
    });

    test("with the environment that sshd accepts", async () => {
      await up({ create: note("$GREETING from $SERVER"), environment: { GREETING: "hello" } });
      expect(await ran()).toEqual(["hello from server"]);
    });

    test("no resource when the command fails; the error tells why, without stdin", async () => {
      const create = "cat >/dev/null; echo out; echo err >&2; exit 3";
      const run = await up({ create, stdin: "hunter2", logging: "none" });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/exited with status 3/);
      expect(run.text).toMatch(/echo out; echo err/);
      expect(run.text).toMatch(/^\s*out$/m);
      expect(run.text).toMatch(/^\s*err$/m);
      expect(run.text).not.toContain("hunter2");
      expect(await stack.resource("c")).toBeUndefined();
    });

    test("with 200 kB on stdin and long lines in the output", async () => {
      const run = await up({ create: "tee /dev/stderr", stdin: "x".repeat(200_000), logging: "none" });
      expect(run.failed).toBe(false);
      expect((await stack.resource("c"))?.outputs.stdout).toHaveLength(200_000);
    });
  });

  describe("updates in place", () => {
    test("with update, which sees the previous output", async () => {
      const inputs = {
        create: "echo one",
        update: note("update after $PULUMI_COMMAND_STDOUT"),
        delete: note("delete"),
      };
      await up({ ...inputs, stdin: "1" });
      expect(await up({ ...inputs, stdin: "2" })).toMatchObject({ failed: false, steps: ["update"] });
      expect(await ran()).toEqual(["update after one"]);
    });

    test("with create where there is no update, without the previous output when unwanted", async () => {
      const inputs = { create: `${note("create [$PULUMI_COMMAND_STDOUT]")}; echo x`, addPreviousOutputInEnv: false };
      await up({ ...inputs, stdin: "1" });
      expect(await up({ ...inputs, stdin: "2" })).toMatchObject({ failed: false, steps: ["update"] });
      expect(await ran()).toEqual(["create []", "create []"]);
    });

    test("when only the delete command changes", async () => {
      await up({ create: note("create"), delete: "true" });
      expect(await up({ create: note("create"), delete: "false" })).toMatchObject({ steps: ["update"] });
      expect(await ran()).toEqual(["create", "create"]);
    });

    test("or keeps the old state when that fails, and tries again", async () => {
      const inputs = { create: "echo created", update: `${note("update")}; exit 4` };
      await up({ ...inputs, stdin: "old" });
      const run = await up({ ...inputs, stdin: "new" });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/exited with status 4/);
      expect(await stack.resource("c")).toMatchObject({ inputs: { stdin: "old" }, outputs: { stdout: "created" } });

      expect(await up({ ...inputs, stdin: "new" })).toMatchObject({ failed: true });
      expect(await ran()).toEqual(["update", "update"]);
    });
  });

  describe("replaces when a trigger changes", () => {
    const inputs = () => ({ create: note("create on $SERVER"), delete: note("delete on $SERVER") });

    test("creating before it deletes", async () => {
      await up({ ...inputs(), triggers: ["a"] });
      const run = await up({ ...inputs(), triggers: ["b"] });
      expect(run).toMatchObject({ failed: false });
      expect(run.steps).toEqual(["create-replacement", "replace", "delete-replaced"]);
      expect(await ran()).toEqual(["create on server", "create on server", "delete on server"]);
    });

    test("deleting first when asked to", async () => {
      await up({ ...inputs(), triggers: ["a"] }, { deleteBeforeReplace: true });
      await up({ ...inputs(), triggers: ["b"] }, { deleteBeforeReplace: true });
      expect(await ran()).toEqual(["create on server", "delete on server", "create on server"]);
    });

    test("and deletes over the connection of the old resource", async () => {
      await up({ ...inputs(), triggers: ["a"] });
      await up({ ...inputs(), triggers: ["b"], connection: to(other) });
      expect(await ran()).toEqual(["create on server", "create on other", "delete on server"]);
    });
  });

  describe("deletes", () => {
    test("with the recorded command, which sees the recorded output", async () => {
      await up({ create: "echo made", delete: note("delete after $PULUMI_COMMAND_STDOUT") });
      expect(await stack.destroy()).toMatchObject({ failed: false, steps: ["delete"] });
      expect(await ran()).toEqual(["delete after made"]);
      expect(await stack.resource("c")).toBeUndefined();
    });

    test("nothing when the command fails", async () => {
      await up({ create: "true", delete: "echo still needed >&2; exit 5", logging: "none" });
      const run = await stack.destroy();
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/exited with status 5/);
      expect(run.text).toMatch(/still needed/);
      expect(await stack.resource("c")).toBeDefined();
    });
  });

  describe("is interrupted", () => {
    /** ^C, as often as asked for, once the command has begun. */
    const interrupted = async (times: number) => {
      const { signal } = new AbortController();
      const running = stack.up(
        async () =>
          void new remote.Command("c", {
            connection,
            create: `${note("begun")}; sleep 3; ${note("ended")}; echo said`,
          }),
        { signal },
      );
      await until("the command", 20, async () => ((await ran()).length ? true : undefined));
      for (let time = 0; time < times; time++) {
        signal.dispatchEvent(new Event("abort"));
        await pause(500); // two signals that wait together are one (signal(7))
      }
      return running;
    };

    test("once: the command that runs is finished and recorded", async () => {
      expect(await interrupted(1)).toMatchObject({ failed: true, steps: ["create"] });
      expect(await ran()).toEqual(["begun", "ended"]);
      expect((await stack.resource("c"))?.outputs.stdout).toBe("said");
    });

    test("twice: the command goes on by itself, nothing is recorded, and the next up runs it again", async () => {
      expect(await interrupted(2)).toMatchObject({ failed: true });
      expect(await stack.resource("c")).toBeUndefined();
      await until("the end of the command", 20, async () => ((await ran()).includes("ended") ? true : undefined));
      expect(await up({ create: note("again") })).toMatchObject({ failed: false, steps: ["create"] });
      expect(await ran()).toEqual(["begun", "ended", "again"]);
    });
  });

  describe("connects", () => {
    test("to no host that has another key than the pinned one", async () => {
      const run = await up({
        create: note("create"),
        connection: { ...connection, hostKey: await strangersKey(directory) },
      });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/host key mismatch/i);
      expect(await ran()).toEqual([]);
    });

    test("by the agent, which leaves no key in the state", async () => {
      await up({ create: note("create") });
      expect(await ran()).toEqual(["create"]);
      expect((await stack.resource("c"))?.inputs.connection).toBeDefined();
      expect(await stack.onDisk()).not.toContain("PRIVATE KEY");
    });

    test("by a private key where there is no agent", async () => {
      stack.env.SSH_AUTH_SOCK = "";
      const refused = await up({ create: note("without key") });
      expect(refused).toMatchObject({ failed: true });
      expect(refused.text).toMatch(/unable to authenticate/);

      await up({ create: note("with key"), connection: { ...connection, privateKey: agent.privateKey } });
      expect(await ran()).toEqual(["with key"]);
      expect(await stack.onDisk()).not.toContain("PRIVATE KEY");
    });

    test("through a jump host whose key is pinned too", async () => {
      const proxy = to(other);
      await up({ create: note("on $SERVER"), connection: { ...connection, proxy } });
      expect(await ran()).toEqual(["on server"]);

      const hostKey = server.hostKey; // the other one's is expected
      const run = await up({ create: note("again"), connection: { ...connection, proxy: { ...proxy, hostKey } } });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/proxy.*host key mismatch/i);
      expect(await ran()).toEqual(["on server"]);
    });

    test("or gives up soon on a host that cannot be reached", async () => {
      const began = Date.now();
      const run = await up({
        create: "true",
        connection: { ...connection, port: await freePort(), dialErrorLimit: 2 },
      });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/after 2 failed attempts.*connection refused/s);
      expect(Date.now() - began).toBeLessThan(8_000);
    });
  });

  describe("keeps secrets", () => {
    test("in stdin and connection encrypted, and what the command said in the open", async () => {
      const run = await up({
        create: "cat >/dev/null; echo not-hidden",
        stdin: secret("hunter2"),
        connection: { ...connection, password: "swordfish" },
      });
      expect(run.failed).toBe(false);
      expect(run.text).not.toMatch(/hunter2|swordfish/);
      const state = await stack.onDisk();
      expect(state).not.toMatch(/hunter2|swordfish/);
      expect(state).toContain("not-hidden");
    });

    test("out of the outputs that are declared secret", async () => {
      await up({ create: "echo from-the-host", logging: "none" }, { additionalSecretOutputs: ["stdout"] });
      expect(await stack.onDisk()).not.toContain('"from-the-host');
    });

    test("out of the log when logging is off", async () => {
      expect((await up({ create: "echo spoken", stdin: "1" })).text).toMatch(/^spoken$/m);
      expect((await up({ create: "echo spoken", stdin: "2", logging: "none" })).text).not.toMatch(/^spoken$/m);
    });
  });

  describe("runs on this machine", () => {
    test("with stdin and environment, and updates in place", async () => {
      const inputs = {
        create: `cat >> ${trace}; ${note(" to $WHOM, before: $PULUMI_COMMAND_STDOUT")}; echo done`,
        environment: { WHOM: "you" },
        dir: directory,
      };
      await upLocal({ ...inputs, stdin: "hello" });
      expect(await upLocal({ ...inputs, stdin: "bye" })).toMatchObject({ failed: false, steps: ["update"] });
      expect(await ran()).toEqual(["hello to you, before: ", "bye to you, before: done"]);
    });

    test("with an error that tells why, without stdin and environment", async () => {
      const run = await upLocal({
        create: "cat >/dev/null; echo err >&2; exit 6",
        logging: "none",
        stdin: "hunter2",
        environment: { KEY: "swordfish" },
      });
      expect(run.failed).toBe(true);
      expect(run.text).toMatch(/exit status 6/);
      expect(run.text).toMatch(/^\s*err$/m);
      expect(run.text).not.toMatch(/hunter2|swordfish/);
    });
  });
});
