import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { installCommand, uninstallCommand } from "../../hosts/launcher.ts";
import { lookCommand } from "../../hosts/look/look-command.ts";
import { type SshResult, ssh } from "../../hosts/ssh/ssh.ts";
import { wantsTool, withTool } from "../../hosts/tool-text.ts";
import { minutes } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { hostToolDigest } from "../../render/host-tool.ts";
import { toolDocument, toolPath } from "../../render/tool.ts";
import { bootable } from "../bootable.ts";
import { toolOn } from "./bench.ts";

const runnable = await bootable("installing the host tool on a booted host");
const name = `tool-${process.pid}`;
const earlier = new URL("../upgrade/hosts/2026-11/jtel-chatctl.gz", import.meta.url);
const archive = "/usr/local/lib/jtel-chat/tool.zip";
let lab: Lab;
let host: LabHost;

const text = toolDocument("jtel-chat/trial");
const launch = { generation: 1, reason: "trial" };

/** Over ssh, as the stack does it. */
const over = (command: string, input: Parameters<typeof ssh>[2]): Promise<SshResult> =>
  ssh({ address: host.address, port: 22, user: "deploy", hostKey: host.hostKey }, command, input);

const look = (installs: boolean) =>
  over(lookCommand(hostToolDigest()), withTool(`${JSON.stringify({ steps: { tool: text } })}\n`, "look", installs));

const install = () => over(installCommand(launch), text);

const uninstall = () => over(uninstallCommand(), text);

const { run } = toolOn(() => host);

/** Everything of ours on the host. */
const left = () =>
  run(`ls -d ${toolPath} /usr/local/lib/jtel-chat /var/lib/jtel-chat /run/jtel-chat 2>/dev/null || true`);

const drifted = async (): Promise<boolean> =>
  JSON.parse((await look(false)).stdout.split("\u001ejtel-chatctl ")[1] as string).steps.tool.drifted;

describe.skipIf(!runnable)("the host tool", () => {
  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["chatserver1"], temporary: true });
    host = lab.hosts.chatserver1 as LabHost;
    process.env.SSH_AUTH_SOCK = lab.agentSocket; // what ssh() logs in with
  }, 15 * minutes);

  afterAll(async () => {
    await downLab(name);
  });

  beforeEach(async () => {
    await run(`rm -rf ${toolPath} /usr/local/lib/jtel-chat /var/lib/jtel-chat /run/jtel-chat`);
  });

  test("a preview looks at a host without it, and leaves nothing there", async () => {
    expect(await look(false)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(wantsTool) });
    expect(await left()).toBe("");
  });

  test("an up's look brings the text, the installation compiles it; then it is sent no more", async () => {
    await look(true);
    expect(await run("stat -c '%a %U' /run/jtel-chat /run/jtel-chat/tool")).toBe("755 root\n600 root");
    // There is no drain's agent that would have to be restarted: no warning comes last.
    expect(await install()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/installed jtel-chatctl .* compiled for cpython-3\d+\nwrote \S+\n$/),
    });
    expect(
      await run(
        `unzip -l ${archive} 2>/dev/null | grep -c '[.]pyc$' || python3 -m zipfile -l ${archive} | grep -c '[.]pyc '`,
      ),
    ).not.toBe("0");
    const again = await look(true);
    expect(again.stdout).not.toContain(wantsTool);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"drifted": false') });
    expect(await run("ls /run/jtel-chat/tool 2>/dev/null || true")).toBe("");
    expect(await install()).toMatchObject({ exitCode: 0, stdout: "nothing to change\n" });
  });

  test.each([
    ["its launcher", `rm ${toolPath}`],
    ["its archive", `rm ${archive}`],
    ["its archive, cut", `truncate -s 1000 ${archive}`],
    ["its text", "rm /var/lib/jtel-chat/tool"],
  ])("removed by hand, %s: is drift, is brought back, and can be uninstalled before", async (_, harm) => {
    await look(true);
    await install();
    await run(harm);
    expect(await drifted()).toBe(true);
    expect(await uninstall()).toMatchObject({ exitCode: 0 });
    expect(await left()).toBe("");
    await look(true);
    await install();
    await run(harm);
    await look(true);
    expect(await install()).toMatchObject({ exitCode: 0 });
    expect(await drifted()).toBe(false);
  });

  test("that is nowhere on the host is not guessed: what to do is said", async () => {
    for (const done of [await install(), await uninstall()])
      expect(done).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/the text of jtel-chatctl .* is not on this host\. Run pulumi up/),
      });
  });

  test("a text that is not the one that the document names is not run", async () => {
    await look(true);
    await run("echo 'raise SystemExit(\"evil\")' >> /run/jtel-chat/tool");
    expect(await install()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is not on this host") });
  });

  test("a host of version 2026-11 is taken on, and given back without either", async () => {
    const old = gunzipSync(await readFile(earlier)).toString();
    const content = (value: string) => [
      "content:",
      ...value
        .trimEnd()
        .split("\n")
        .map((line) => (line ? `\t${line}` : "")),
    ];
    const document11 = [
      "# files: /var/lib/jtel-chat/owner",
      "mode: 0600",
      ...content("jtel-chat/trial"),
      "",
      `# files: ${toolPath}`,
      "mode: 0755",
      ...content(old),
      "",
    ].join("\n");
    await host.exec("cat > /root/tool; chmod 700 /root/tool", { input: old });
    await host.exec("/root/tool apply tool 1 trial", { input: document11 });
    await run("rm /root/tool");
    expect(await drifted()).toBe(false);
    await look(true);
    expect(await install()).toMatchObject({ exitCode: 0 });
    expect(await drifted()).toBe(false);
    expect(await run("jtel-chatctl check")).toBe("everything is as it was applied");
    expect(await uninstall()).toMatchObject({ exitCode: 0 });
    expect(await left()).toBe("");
  });
});
