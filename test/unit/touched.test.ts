import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stackOf, whyPerson } from "../../cli/touched.ts";

const file = `encryptionsalt: v1:abc
config:
  jtel-chat:public: { scheme: https, host: chat.acme.example }
  jtel-chat:database: { host: acd-dbm, password: { secure: v1:pass } }
  jtel-chat:tyntec: { apiKey: { secure: v1:key } }
`;

describe("a change of a stack file", () => {
  test.each<[string, string, string]>([
    ["another value", "chat.acme.example", "chat2.acme.example"],
    ["a comment", "config:", "# Smith & Sons *\nconfig:"],
    ["one more key", "config:", "config:\n  jtel-chat:firewall: { sources: [10.1.0.0/24] }"],
    ["nothing", "", ""],
  ])("needs nobody: %s", (_, from, to) => expect(whyPerson(file, file.replace(from, to))).toBeUndefined());

  test.each<[string, string, string]>([
    ["a secret in a place that is shown", "host: chat.acme.example", "host: { secure: v1:pass }"],
    ["another secret", "v1:pass", "v1:other"],
    ["two secrets that change places", "v1:key", "v1:pass"],
    ["a secret that is gone", ", password: { secure: v1:pass }", ""],
    [
      "a secret under another key",
      "jtel-chat:database: { host: acd-dbm, password:",
      "jtel-chat:database: { host: acd-dbm }\n  jtel-chat:database.password: { p:",
    ],
    ["where the key is sent", "apiKey:", "url: https://evil.example, apiKey:"],
    ["how Pulumi decrypts", "v1:abc", "v1:abd"],
    ["where Pulumi decrypts", "encryptionsalt", "secretsprovider: awskms://x\nencryptionsalt"],
    ["values of Pulumi's own", "config:", "config:\n  pulumi:disable-default-providers: ['*']"],
    ["an environment", "config:", "environment: [evil]\nconfig:"],
    ["a line that only Pulumi ends", "config:", "# chat\u2028encryptionsalt: v1:x\nconfig:"],
    ["another such line", "config:", "# chat\u0085config: {}\nconfig:"],
    ["an anchor", "{ scheme: https", "&a { scheme: https"],
    ["a merge", "config:", "config:\n  <<: {}"],
    ["a key twice", "config:", "config: {}\nconfig:"],
    ["no YAML", "config:", "config: ["],
  ])("needs a person: %s", (_, from, to) => {
    const changed = file.replace(from, to);
    expect(changed).not.toBe(file);
    expect(whyPerson(file, changed)).toBeDefined();
  });

  test("needs a person where the file comes with secrets, or goes", () => {
    expect(whyPerson(undefined, file)).toBe("changes secrets, or where they go");
    expect(whyPerson(undefined, "config:\n  jtel-chat:topology: co-located\n")).toBeUndefined();
    expect(whyPerson(file, undefined)).toBe("is removed");
  });
});

test("a stack's file is at the root and has a name that Pulumi takes", () => {
  const files = ["Pulumi.acme.yaml", "Pulumi.yaml", "examples/Pulumi.acme.yaml", "Pulumi.$(id).yaml", "Pulumi.-x.yaml"];
  expect(files.map(stackOf)).toEqual(["acme", undefined, undefined, undefined, undefined]);
});

describe("npm run touched", () => {
  let repository: string;
  let base: string;

  const git = async (...argv: string[]): Promise<string> => {
    const author = ["-c", "user.name=a", "-c", "user.email=a@acme.example"];
    return (await execa("git", [...author, ...argv], { cwd: repository })).stdout;
  };

  /** A commit on the base with these files changed, and what is said of it. */
  const touched = async (files: Record<string, string>, ...argv: string[]) => {
    await git("checkout", "--quiet", "--detach", base);
    for (const [name, text] of Object.entries(files)) await writeFile(join(repository, name), text);
    await git("add", ".");
    await git("commit", "--quiet", "--message", "change");
    const head = await git("rev-parse", "HEAD");
    await git("checkout", "--quiet", "--detach", base);
    const program = new URL("../../cli/touched.ts", import.meta.url).pathname;
    const options = { cwd: repository, reject: false };
    const { stdout, stderr, exitCode } = await execa(
      process.execPath,
      [program, "--base", base, "--head", head, ...argv],
      options,
    );
    return { stdout, stderr, exitCode };
  };

  beforeAll(async () => {
    repository = await mkdtemp(join(tmpdir(), "jtel-chat-touched-"));
    await git("init", "--quiet");
    for (const name of ["Pulumi.acme.yaml", "Pulumi.bistro.yaml"]) await writeFile(join(repository, name), file);
    await writeFile(join(repository, "Pulumi.example.yaml"), "config: {}\n"); // no stack
    for (const name of ["index.ts", "README.md"]) await writeFile(join(repository, name), "");
    await git("add", ".");
    await git("commit", "--quiet", "--message", "base");
    base = await git("rev-parse", "HEAD");
  });

  afterAll(() => rm(repository, { recursive: true }));

  test("takes the stack files of a commit that changes values only", async () => {
    const changed = file.replace("scheme: https", "scheme: http");
    const { stdout, exitCode } = await touched({ "Pulumi.acme.yaml": changed, "README.md": "more" }, "--take");
    expect({ stdout, exitCode }).toEqual({ stdout: 'stacks=["acme"]\nperson=false', exitCode: 0 });
    expect(await readFile(join(repository, "Pulumi.acme.yaml"), "utf8")).toBe(changed);
    await git("checkout", "--quiet", ".");
  });

  test("takes nothing of a commit that changes the program, and previews every stack", async () => {
    const changes = { "index.ts": "steal()", "Pulumi.acme.yaml": file.replace("https", "http") };
    const { stdout, stderr, exitCode } = await touched(changes, "--take");
    expect({ stdout, exitCode }).toEqual({ stdout: 'stacks=["acme","bistro"]\nperson=true', exitCode: 1 });
    expect(stderr).toContain('"index.ts" may be part of the program');
    expect(await readFile(join(repository, "Pulumi.acme.yaml"), "utf8")).toBe(file);
  });

  test("has nothing to preview of a commit that changes pages only", async () => {
    expect((await touched({ "README.md": "other" })).stdout).toBe("stacks=[]\nperson=false");
  });
});
