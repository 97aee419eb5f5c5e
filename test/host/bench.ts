import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { applyCommand, type Launch, undoCommand } from "../../hosts/launcher.ts";
import { type StepAnswer, understood } from "../../hosts/look/answer.ts";
import { minutes } from "../../lab/deadline.ts";
import type { Release } from "../../lab/hosts/release.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { hostTool } from "../../render/host-tool.ts";
import { templateText } from "../../render/template.ts";
import { toolPath } from "../../render/tool.ts";

/** What a call of the host tool has printed, and how it ended. */
export interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Both. */
  output: string;
}

/** How a test calls the tool, where that matters. */
export interface Call extends Partial<Launch> {
  /** Who logs in; he becomes root by sudo. @default "deploy" */
  user?: string;
}

/** Which hosts a file of tests boots. */
export interface BenchArgs {
  /** Of the lab; the process id is added. */
  name: string;
  /** The host that is tested, on which the tool is installed. */
  on: string;
  /** Hosts that it needs. */
  beside?: string[];
  /** It has Java before the tests begin. @default false */
  java?: boolean;
  /** Debian release of the hosts. @default what the run is for */
  release?: Release;
}

export type Bench = ReturnType<typeof bench>;

/**
 * One host for the tests of a file: booted in a lab of its own before the first of them, with the host tool of this checkout,
 * and removed after the last. `SSH_AUTH_SOCK` is the lab's agent.
 *
 * Called where a file's hooks are: at its top, or at that of a module that it imports.
 */
export const bench = ({ name, on, beside = [], java = false, release }: BenchArgs) => {
  const labName = `${name}-${process.pid}`;
  let booted: Lab;
  const lab = (): Lab => booted;
  const hostNamed = (each: string): LabHost => booted.hosts[each] as LabHost;
  const host = (): LabHost => hostNamed(on);
  const tool = toolOn(host);

  beforeAll(async () => {
    booted = await upLab(labName, { hosts: [...beside, on], java, temporary: true, ...(release && { release }) });
    process.env.SSH_AUTH_SOCK = booted.agentSocket;
    await tool.install();
  }, 15 * minutes);

  afterAll(() => downLab(labName));

  return { lab, host, hostNamed, ...tool };
};

/** The host tool on a host, without the engine: what a launcher, a preview and a person do with it. */
export const toolOn = (host: () => LabHost) => {
  /** Standard output of a script that has to succeed. */
  const run = async (script: string, user = "root"): Promise<string> => {
    const { exitCode, stdout, stderr } = await host().exec(script, { user });
    expect(exitCode, `${script}: ${stderr}${stdout}`).toBe(0);
    return stdout.trim();
  };

  const ended = async (command: string, input: string, user: string): Promise<Ended> => {
    const { exitCode, stdout, stderr } = await host().exec(command, { input, user });
    return { exitCode, stdout, stderr, output: stdout + stderr };
  };

  /** Puts the tool, or another version of it, in its place. */
  const install = async (text: string | Uint8Array = hostTool()): Promise<void> => {
    await host().exec(`cat > ${toolPath}; chmod 755 ${toolPath}`, { input: Buffer.from(text).toString() });
  };

  /** The unit that puts back at boot what an interrupted run has left. */
  const installRecovery = async (): Promise<void> => {
    const unit = "etc/systemd/system/jtel-chat-recover.service";
    const script = `cat >/${unit}; systemctl add-wants sysinit.target jtel-chat-recover`;
    await host().exec(script, { input: templateText(unit) });
  };

  /** A line of `loads:` with the digest of what the host has, as the engine brings it from one step to the next. */
  const named = (line: string, step: string): string => {
    const file = join(host().root, "var/lib/jtel-chat/steps", `${step}.json`);
    if (!existsSync(file)) return line;
    const { document, state } = JSON.parse(readFileSync(file, "utf8"));
    return `\t${step} ${document || Object.values<string>(state).find((value) => /^[0-9a-f]{16}$/.test(value))}`;
  };

  /** Applies a document as the step of that name. */
  const apply = (step: string, text: string, { user = "deploy", ...launch }: Call = {}): Promise<Ended> => {
    const sent = text.replace(/^\t([a-z][a-z-]*) [0-9a-f]{16}$/gm, named);
    return ended(applyCommand(step, { generation: 1, reason: "trial", ...launch }), sent, user);
  };

  /** As {@link apply}, for one that has to succeed; what it printed. */
  const applied = async (step: string, text: string, call?: Call): Promise<string> => {
    const { exitCode, output } = await apply(step, text, call);
    expect(exitCode, output).toBe(0);
    return output;
  };

  const undo = (step: string, user = "root"): Promise<Ended> => ended(undoCommand(step), "", user);

  /** What a preview sees: with documents what an apply would meet, with null what was applied. */
  const look = async (steps: Record<string, string | null>): Promise<Record<string, StepAnswer>> => {
    const result = await host().exec("jtel-chatctl look", { input: `${JSON.stringify({ steps })}\n` });
    const { name, address, hostKey } = host();
    const { answer, problem } = understood({ name, address, hostKey, port: 22, user: "root" }, result, []);
    if (!answer) throw new Error(`${problem}\n${result.stderr}`);
    return answer.steps;
  };

  /** As {@link look}, at one step. */
  const lookAt = async (step: string, text: string | null): Promise<StepAnswer> =>
    (await look({ [step]: text }))[step] as StepAnswer;

  /** What `jtel-chatctl status` says of the steps. */
  const status = async (): Promise<Record<string, { release: string; drift: string[] }>> =>
    JSON.parse(await run("jtel-chatctl status --json"));

  return { run, install, installRecovery, apply, applied, undo, look, lookAt, status };
};
