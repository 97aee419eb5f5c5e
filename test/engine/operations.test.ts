import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { minutes, until } from "../../lab/deadline.ts";
import type { PulumiResult } from "../../lab/stack.ts";
import { type Change, type Config, engineLab, runnable } from "./engine-lab.ts";

describe.skipIf(!runnable)("an operator's bad days", () => {
  const { lab, host, said, stack, up, applied, noop } = engineLab("operations", { java: false });

  /** `pulumi up` that gets a signal as soon as a host is at work on `step`: ^C, once or twice, or SIGKILL. */
  const interrupted = async (
    step: string,
    how: "once" | "twice" | "killed",
    { environment = {}, change }: { environment?: Record<string, string>; change?: Change } = {},
  ): Promise<PulumiResult> => {
    let interrupt = () => {};
    const running = (await stack(change)).pulumi(["up", "--yes", "--skip-preview"], {
      environment,
      running: (pulumi) => {
        interrupt = () => pulumi.kill(how === "killed" ? "SIGKILL" : "SIGINT");
      },
    });
    const [name, concern] = step.split(":") as [string, string];
    await until(`an apply of ${concern} on ${name}`, 120, async () =>
      (await said(name, "cat /run/jtel-chat/holder")).startsWith(`apply ${concern} `) ? true : undefined,
    );
    interrupt();
    if (how === "twice") setTimeout(interrupt, 500);
    return running;
  };

  /** Runs `pulumi state …` and the like, which has to succeed. */
  const administered = async (...argv: string[]): Promise<string> => {
    const { exitCode, output } = await (await stack()).pulumi(argv);
    expect(exitCode, output).toBe(0);
    return output;
  };

  /** The URN of a resource by its name. */
  const urnOf = async (name: string): Promise<string> => {
    const { resources } = JSON.parse(await administered("stack", "export")).deployment;
    return (resources as { urn: string }[]).find(({ urn }) => urn.endsWith(`::${name}`))?.urn ?? "";
  };

  test(
    "the first ^C lets the hosts finish what they do, and starts nothing new",
    async () => {
      const run = {
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_SHA: "1a2b3c4d",
        GITHUB_SERVER_URL: "https://ci.example",
      };
      const environment = { ...run, GITHUB_REPOSITORY: "acme/chat", GITHUB_RUN_ID: "7" };
      const { exitCode, output } = await interrupted("chatserver1:java", "once", { environment });
      expect(exitCode).not.toBe(0);
      expect(output).toContain("chatserver1-java created");
      expect(output).not.toContain("chatserver1-messenger created");
      expect(output).toMatch(/update canceled|cancell?ed/i);
      expect(await said("chatserver1", "jtel-chatctl log")).toMatch(
        /apply java by deploy from \S+ \(commit 1a2b3c4d, https:\/\/ci\.example\/acme\/chat\/actions\/runs\/7\): done/,
      );
    },
    10 * minutes,
  );

  test(
    "the second ^C leaves the hosts to finish by themselves, and the next up goes on from there",
    async () => {
      const { exitCode } = await interrupted("chatserver1:messenger-running", "twice");
      expect(exitCode).not.toBe(0);
      await until("the end of the apply", 120, async () =>
        (await said(
          "chatserver1",
          "ls -A /var/lib/jtel-chat/journal; flock --nonblock /run/jtel-chat/lock true || echo held",
        )) === ""
          ? true
          : undefined,
      );
      await applied();
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
      await noop();
    },
    10 * minutes,
  );

  test(
    "a run that was killed leaves its lock, cancel removes it, and the next up goes on from there",
    async () => {
      const change: Change = (config) => {
        config.haproxy = { balance: "first" };
      };
      expect((await interrupted("lb1:haproxy", "killed", { change })).exitCode).not.toBe(0);
      expect((await up(change)).output).toContain("currently locked by 1 lock");
      await administered("cancel", "--yes");
      await applied(change);
      await noop(change);
      expect(await said("lb1", "grep -c 'balance first' /etc/haproxy/haproxy.cfg")).toBe("1");
      await applied();
    },
    3 * minutes,
  );

  test(
    "steps that Pulumi has forgotten are adopted by the next up, which restarts and reloads nothing",
    async () => {
      const running = () =>
        Promise.all([
          said("chatserver1", "systemctl show --property=MainPID jtel-clientmessenger"),
          said("lb1", "systemctl show --property=MainPID haproxy; pgrep haproxy"),
        ]);
      const before = await running();
      await administered("state", "delete", await urnOf("chatserver1-messenger"), "--target-dependents", "--yes");
      expect(await applied()).toContain("chatserver1-messenger-running created");
      expect(await running()).toEqual(before);
      await noop();
    },
    3 * minutes,
  );

  test("a step that is protected in the state keeps a destroy from beginning, until an up: the program decides", async () => {
    const urn = await urnOf("lb1-haproxy");
    const destroy = async () => (await stack()).pulumi(["destroy", "--preview-only"]);
    await administered("state", "protect", urn, "--yes");
    expect((await destroy()).output).toContain("protect");
    await administered("state", "unprotect", urn, "--yes");
    expect((await destroy()).output).not.toContain("protect");
    await administered("state", "protect", urn, "--yes");
    await applied();
    expect((await destroy()).output).not.toContain("protect");
  });

  test(
    "a step that somebody has Pulumi replace is taken back and applied again, and is there afterwards",
    async () => {
      const { exitCode, output } = await up(undefined, ["--replace", "**lb1-haproxy"]);
      expect(exitCode, output).toBe(0);
      expect(output).toMatch(/lb1-haproxy deleted original[\s\S]*lb1-haproxy created replacement/);
      expect(await said("lb1", "grep -c 'BEGIN jtel-chat' /etc/haproxy/haproxy.cfg")).not.toBe("0");
      await noop();
    },
    3 * minutes,
  );

  test("a step that was renamed in the state would be applied, and taken back under its other name", async () => {
    await administered("state", "rename", await urnOf("lb1-haproxy"), "lb1-other", "--yes");
    const { output } = await (await stack()).pulumi(["preview"]);
    expect(output).toMatch(/lb1-haproxy create/);
    expect(output).toMatch(/lb1-other delete/);
    await administered("state", "rename", await urnOf("lb1-other"), "lb1-haproxy", "--yes");
    await noop();
  });

  test("a host that is gone for good is forgotten, with its consequences said, and the others go on", async () => {
    await host("chatserver2").kill();
    const without = (config: Config) => {
      config.chatServers = (config.chatServers as object[]).slice(0, 1);
    };
    const { environment } = await stack(without);
    const forget = (...argv: string[]) =>
      execa("node", ["cli/forget.ts", ...argv, "--stack", "dev"], { env: environment, reject: false });
    expect((await forget("chatserver9")).stderr).toContain("Its hosts: ");
    const told = await forget("chatserver2");
    expect(told.stdout).toContain("chatserver2-messenger-running");
    expect(told.stdout).toContain("Nothing was changed yet");
    expect((await forget("chatserver2", "--yes")).stdout).toContain("Done.");
    await applied(without);
    await noop(without);
    expect(await said("lb1", "grep -c 'server chatserver' /etc/haproxy/haproxy.cfg")).toBe("1");
  });
});
