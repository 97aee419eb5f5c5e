import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { validate } from "../../cli/validate.ts";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
afterAll(() => rm(directory, { recursive: true }));

/** The committed example, with its secrets, as Pulumi writes them. */
const complete = readFileSync(new URL("../../Pulumi.prod.yaml", import.meta.url), "utf8")
  .replace("user: root,", "user: root, password: { secure: v1:x },")
  .replace("tyntec: {", "tyntec: { apiKey: { secure: v1:x },")
  .concat("encryptionsalt: v1:x\n");

const stackFile = (name: string, text: string): string => {
  const file = join(directory, `Pulumi.${name}.yaml`);
  writeFileSync(file, text);
  return file;
};

const found = (...files: string[]) =>
  validate(files).map(({ file, line, key, text }) => `${file.slice(directory.length + 8)}:${line}: ${key}: ${text}`);

test("a complete stack file has no problem, though nobody can decrypt its secrets", () => {
  expect(found(stackFile("good", complete))).toEqual([]);
});

test("each problem is at the line of its key, also in a list", () => {
  const text = complete
    .replace("topology: separate-server", "topology: here")
    .replace("address: 192.0.2.22", "address: x y");
  expect(found(stackFile("bad", text))).toEqual([
    expect.stringMatching(/^bad\.yaml:5: topology: "here" is not a topology/),
    expect.stringMatching(/^bad\.yaml:18: chatServers\[1\]\.address: "x y" is no host name or IP address/),
  ]);
});

test("a secret in plain text is a problem", () => {
  const text = complete.replace("password: { secure: v1:x }", "password: geheim");
  expect(found(stackFile("plain", text))).toEqual([
    expect.stringMatching(/^plain\.yaml:\d+: database\.password: stands there in plain text/),
  ]);
});

test("an encrypted value that is no secret is a problem", () => {
  const text = complete.replace("address: 192.0.2.22", "address: { secure: v1:x }");
  expect(found(stackFile("hidden", text))).toContainEqual(
    expect.stringMatching(
      /^hidden\.yaml:18: chatServers\[1\]\.address: is encrypted, but no secret: nobody could review/,
    ),
  );
});

test("a file that is no YAML is one problem, at its line", () => {
  expect(found(stackFile("broken", "config:\n  a: [\n"))).toEqual([expect.stringMatching(/^broken\.yaml:[23]: : /)]);
});

test("a host or a WhatsApp number in two stacks is a problem of both", () => {
  const other = complete.replaceAll("192.0.2.11", "192.0.2.31").replaceAll("192.0.2.22", "192.0.2.32");
  expect(found(stackFile("one", complete), stackFile("two", other))).toEqual([
    expect.stringMatching(/^one\.yaml:14: chatServers\[0\]\.address: host 192\.0\.2\.21 is in Pulumi\.two\.yaml, too/),
    expect.stringMatching(
      /^one\.yaml:25: whatsapp\.serviceNumber: WhatsApp number \+498912345678 is in Pulumi\.two\.yaml, too/,
    ),
    expect.stringMatching(/^two\.yaml:14: chatServers\[0\]\.address: .* Pulumi\.one\.yaml, too/),
    expect.stringMatching(/^two\.yaml:25: whatsapp\.serviceNumber: .* Pulumi\.one\.yaml, too/),
  ]);
});

test("GitHub's annotations and GitLab's report name file and line", async () => {
  const file = stackFile("bad", complete.replace("topology: separate-server", "topology: here"));
  const said = async (format: string) =>
    execa("node", ["cli/validate.ts", file, "--format", format], { reject: false });
  const github = await said("github");
  expect(github).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^::error file=.*Pulumi\.bad\.yaml,line=5::topology: "here"/),
  });
  const [problem] = JSON.parse((await said("gitlab")).stdout);
  expect(problem).toMatchObject({ location: { path: file, lines: { begin: 5 } }, severity: "major" });
  expect((await said("nonsense")).stderr).toMatch(/^npm run validate/);
});
