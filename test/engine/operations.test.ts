import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { minutes, until } from "../../lab/deadline.ts";
import type { PulumiResult } from "../../lab/stack.ts";
import { type Config, engineLab, runnable } from "./engine-lab.ts";

describe.skipIf(!runnable)("an operator's bad days", () => {
  const { lab, host, said, stack, applied, noop } = engineLab("operations", { java: false });

  /** `pulumi up` that is interrupted by ^C, once or twice, as soon as a host is at work on `step`. */
  const interrupted = async (step: string, times: 1 | 2, environment = {}): Promise<PulumiResult> => {
    let interrupt = () => {};
    const running = (await stack()).pulumi(["up", "--yes", "--skip-preview"], {
      environment,
      running: (pulumi) => {
        interrupt = () => pulumi.kill("SIGINT");
      },
    });
    const [name, concern] = step.split(":") as [string, string];
    await until(`an apply of ${concern} on ${name}`, 120, async () =>
      (await said(name, "cat /run/jtel-chat/holder")).startsWith(`apply ${concern} `) ? true : undefined,
    );
    interrupt();
    if (times === 2) setTimeout(interrupt, 500);
    return running;
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
      const { exitCode, output } = await interrupted("chatserver1:java", 1, {
        ...run,
        ...{ GITHUB_REPOSITORY: "acme/chat", GITHUB_RUN_ID: "7" },
      });
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
      const { exitCode } = await interrupted("chatserver1:messenger-running", 2);
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
