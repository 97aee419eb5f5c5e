import { beforeAll, describe, expect, test } from "vitest";
import { applyCommand } from "../../hosts/launcher.ts";
import { ssh } from "../../hosts/ssh/ssh.ts";
import { until } from "../../lab/deadline.ts";
import { document } from "../../render/document.ts";
import { bootable } from "../bootable.ts";
import { bench } from "./bench.ts";

const runnable = await bootable("the host tool on a booted host");

const { host, installRecovery, ...tool } = bench({ name: "host", on: "chatserver1" });
const file = "/etc/apt/sources.list.d/jtel-chat-java.list";

/** A document that changes a file and starts a service that is never healthy: its apply stands still after the first change. */
const standing = (within: string): string =>
  document(
    { kind: "files", name: file, fields: { content: "new\n" } },
    {
      kind: "service",
      name: "jtel-clientmessenger.service",
      fields: { loads: [], healthy: "ws://127.0.0.1:9/", within },
    },
  );

const apply = (text: string) => tool.apply("trial", text);

const content = async (): Promise<string> => (await host().exec(`cat ${file}`)).stdout.trim();

const written = () => until("the new file", 20, async () => ((await content()) === "new" ? true : undefined));

const putBack = () => until("the old file", 20, async () => ((await content()) === "old" ? true : undefined));

const leftOver = async (): Promise<string> => (await host().exec("ls -A /var/lib/jtel-chat/journal")).stdout.trim();

describe.skipIf(!runnable)("an apply that is interrupted", () => {
  beforeAll(async () => {
    await installRecovery();
    await host().exec("cat > /etc/systemd/system/jtel-clientmessenger.service; systemctl daemon-reload", {
      input: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    });
    await host().exec(`echo old > ${file}`);
  });

  test("puts everything back when its health check fails, and says so", async () => {
    const { exitCode, stderr } = await apply(standing("1"));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^chatserver1: jtel-clientmessenger\.service runs, but ws:\/\/127\.0\.0\.1:9\/ is not healthy/,
    );
    expect(await content()).toBe("old");
    expect((await host().exec("systemctl is-enabled jtel-clientmessenger")).stdout.trim()).toBe("disabled");
    expect(await leftOver()).toBe("");
  });

  test("ends by itself when ssh is gone", async () => {
    const target = { address: host().address, port: 22, user: "deploy", hostKey: host().hostKey };
    const cut = ssh(
      target,
      `(sleep 2; pkill -KILL -u deploy sshd) & ${applyCommand("trial", { generation: 1, reason: "cut" })}`,
      standing("6"),
    );
    await written();
    expect((await cut).exitCode).not.toBe(0);
    await putBack();
    await until("the end", 20, async () => ((await leftOver()) === "" ? true : undefined));
  });

  test("is put back at once when it is killed", async () => {
    const killed = apply(standing("60"));
    await written();
    await host().exec("systemctl kill --signal=KILL 'jtel-chat-trial-*'");
    expect((await killed).exitCode).not.toBe(0);
    await putBack();
    expect(await leftOver()).toBe("");
  });

  test("can be ended by a person, who is told whose it is", async () => {
    const ended = apply(standing("60"));
    await written();
    const status = await host().exec("jtel-chatctl status");
    expect(status.stdout).toMatch(/a run is going on: apply trial by deploy/);
    const released = await host().exec("jtel-chatctl release-lock");
    expect(released.stdout).toMatch(/ending apply trial by deploy/);
    expect(released.exitCode).toBe(0);
    expect((await ended).exitCode).not.toBe(0);
    await putBack();
  });

  test("is put back at boot when the power fails", async () => {
    const lost = apply(standing("60")).catch(() => {});
    await written();
    await host().kill();
    await lost;
    await host().start();
    expect(await content()).toBe("old");
    expect(await leftOver()).toBe("");
    expect((await host().exec("systemctl is-failed jtel-chat-recover")).stdout.trim()).not.toBe("failed");
  });

  test("makes a second controller wait, which then says for whom", async () => {
    const first = apply(standing("4"));
    await written();
    const second = await apply(document({ kind: "files", name: file, fields: { content: "second\n" } }));
    expect((await first).exitCode).toBe(1);
    expect(second.stdout).toMatch(/waited for apply trial by deploy/);
    expect(await content()).toBe("second");
  });

  test("stands in the log with who, from where and what came of it", async () => {
    const { stdout } = await host().exec("jtel-chatctl log --json");
    const entries = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.at(-1)).toMatchObject({ action: "apply", step: "trial", by: "deploy", outcome: "done" });
    expect(entries).toContainEqual(
      expect.objectContaining({ outcome: "failed", said: ["the run was ended before it was done"] }),
    );
    expect((await host().exec("journalctl -t jtel-chatctl -o cat")).stdout).toMatch(
      /apply trial by deploy from .*: done/,
    );
  });
});
