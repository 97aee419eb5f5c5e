import * as pulumi from "@pulumi/pulumi";
import { hostTool, hostToolDigest } from "../../render/host-tool.ts";
import { toolPath } from "../../render/tool.ts";
import { printable } from "../printable.ts";
import { connectionProblem } from "../ssh/connection-problem.ts";
import { ssh } from "../ssh/ssh.ts";
import { bringCommand, wantsTool } from "../tool-text.ts";
import { type StepAnswer, understood } from "./answer.ts";
import { ciRun } from "./ci-run.ts";
import { driftProblems, stopsAtDrift } from "./drift-policy.ts";
import { observer } from "./environment.ts";
import { lookCommand, observeCommand } from "./look-command.ts";
import { lookRequest, type ObservedHost, observeRequest, type StepQuestion } from "./question.ts";

/** What came of looking at one host. */
export interface SeenHost {
  name: string;
  /** By the steps' names; empty when the host could not be seen. */
  answers: Record<string, StepAnswer>;
  /** Why nothing may be written anywhere. */
  problems: string[];
}

/** Ask a host about its steps, over one ssh connection. */
export const lookAtHost = (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const user = observer();
  return user ? observeApplied({ ...host, user }, questions) : judge(host, questions);
};

/** Have the host compare itself with what was applied, and say what an apply of the documents would meet. */
const judge = async (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const text = await lookRequest(questions, pulumi.runtime.isDryRun() ? undefined : await ciRun());
  const command = lookCommand(hostToolDigest(), !pulumi.runtime.isDryRun());
  const result = await ssh(host, command, { text, more: { asked: wantsTool, text: hostTool() } });
  const { answer, problem } = understood(host, result, questions);
  if (!answer) return unreachable(host, problem);
  const problems = Object.values(answer.steps).flatMap((step) => step.problems);
  const stopped = stopsAtDrift(host.onDrift) ? driftProblems(answer.steps) : [];
  return {
    name: host.name,
    answers: answer.steps,
    problems: [...problems, ...stopped].map((each) => `${host.name}: ${printable(each)}`),
  };
};

/** Have the host compare itself with what was applied. Its problems need not be those of the documents, so they stop nothing. */
const observeApplied = async (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const result = await ssh(host, observeCommand, observeRequest(questions));
  const { answer, problem } = understood(host, result, questions, `${toolPath} observe`);
  if (!answer) return unreachable(host, problem);
  if (!answer.tool)
    await pulumi.log.warn(
      `${host.name}: its jtel-chatctl is an older one, which does as root what documents from ${host.user} say. pulumi up installs this one; until then, take ${host.user} out of sudoers there`,
    );
  const problems = new Set(Object.values(answer.steps).flatMap((step) => step.problems));
  for (const each of problems) await pulumi.log.warn(`${host.name}, as it was applied: ${printable(each)}`);
  return { name: host.name, answers: answer.steps, problems: [] };
};

/** A preview goes on without the host: what is known of it from the state is still shown. */
const unreachable = async ({ name }: ObservedHost, problem: string): Promise<SeenHost> => {
  if (!pulumi.runtime.isDryRun()) return { name, answers: {}, problems: [`${name}: ${problem}`] };
  await pulumi.log.warn(`${name}: ${problem}. Not approvable: not seen`);
  return { name, answers: {}, problems: [] };
};

/** Bring the tool to a host that lacks it, for an `up` that does not look. Resolves to why that cannot be done. */
export const bringTool = async (host: ObservedHost): Promise<string[]> => {
  const result = await ssh(host, bringCommand(hostToolDigest()), {
    text: "",
    more: { asked: wantsTool, text: hostTool() },
  });
  return result.exitCode ? [`${host.name}: ${connectionProblem(host, result)}`] : [];
};
