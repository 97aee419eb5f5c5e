import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "jtel-chat-run-pulumi-"));
  await mkdir(join(folder, "tmp"));
});

afterAll(() => rm(folder, { recursive: true }));

/** A program of ours, with a stand-in for Pulumi that is this script. */
const program = async (name: string, argv: string[], script: string | undefined) => {
  const pulumi = join(folder, "pulumi");
  await rm(pulumi, { force: true });
  if (script !== undefined) await writeFile(pulumi, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return execa(process.execPath, [`cli/${name}.ts`, "--stack", "acme", ...argv], {
    ...{ reject: false, detached: true, extendEnv: false },
    env: { PATH: script === undefined ? folder : `${folder}:/usr/bin:/bin`, TMPDIR: join(folder, "tmp"), folder },
  });
};

const approved = ["--approved", "0".repeat(64)];

test.each([
  ["killed", "kill -KILL $$", /SIGKILL/],
  ["not installed", undefined, /ENOENT/],
])("a Pulumi that is %s is no success, and it is said", async (_, script, why) => {
  const report = await program("report", [], script);
  expect([report.exitCode, report.stdout]).toEqual([1, expect.stringMatching(why)]);
  const apply = await program("apply", approved, script);
  expect([apply.exitCode, apply.stderr]).toEqual([1, expect.stringMatching(why)]);
  expect(await readdir(join(folder, "tmp")), "nothing is left").toEqual([]);
});

test("a code of Pulumi's own is an error of apply's", async () => {
  expect((await program("apply", approved, "exit 4")).exitCode).toBe(1);
});

test("a ^C reaches Pulumi once, which ends what it does", async () => {
  const log = join(folder, "log");
  // Sends the signal to the group itself, as a terminal does, once it can hear it.
  const script = `trap 'echo INT >>$folder/log; sleep 0.3; exit 0' INT
trap 'echo TERM >>$folder/log; exit 8' TERM
kill -INT 0
while :; do sleep 0.01; done`;
  const apply = await program("apply", approved, script);
  expect(await readFile(log, "utf8")).toBe("INT\n");
  expect(apply.exitCode).toBe(0);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});
