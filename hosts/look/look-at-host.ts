import { isDryRun, log } from "../../config/pulumi.ts";
import { hostToolDigest } from "../../render/host-tool.ts";
import { toolPath } from "../../render/tool.ts";
import { printable } from "../printable.ts";
import { ssh } from "../ssh/ssh.ts";
import { withTool } from "../tool-text.ts";
import { type StepAnswer, understood } from "./answer.ts";
import type { Balancer } from "./balancers.ts";
import { ciRun } from "./ci-run.ts";
import { driftProblems, stopsAtDrift } from "./drift-policy.ts";
import { approvedDigest, observer } from "./environment.ts";
import { lookCommand, observeCommand } from "./look-command.ts";
import { lookRequest, type ObservedHost, observeRequest, type StepQuestion } from "./question.ts";
import { restartReason, restarts } from "./restart-policy.ts";

/** What came of looking at one host. */
export interface SeenHost {
  name: string;
  /** By the steps' names; empty when the host could not be seen. */
  answers: Record<string, StepAnswer>;
  /** Why nothing may be written anywhere. */
  problems: string[];
  /** Why nothing is known of it, where it could not be seen. */
  unseen?: string;
  /** A short name of the host's boot, and the digest of the tool that answered; older tools say neither. */
  boot?: string | undefined;
  tool?: string | undefined;
}

/** Ask a host about its steps, over one ssh connection. It is made while the questions are still collected. */
export const lookAtHost = (host: ObservedHost, questions: Promise<StepQuestion[]>): Promise<SeenHost> => {
  const user = observer();
  return user ? observeApplied({ ...host, user }, questions) : judge(host, questions);
};

/** Have the host compare itself with what was applied, and say what an apply of the documents would meet. */
const judge = async (host: ObservedHost, questions: Promise<StepQuestion[]>): Promise<SeenHost> => {
  const { answer, problem } = await asked(host, questions, { writes: !isDryRun() && !approvedDigest() });
  if (!answer) return unreachable(host, problem);
  const problems = Object.values(answer.steps).flatMap((step) => step.problems);
  const stopped = stopsAtDrift(host.onDrift) ? driftProblems(answer.steps) : [];
  const closed = host.closed ? restarts(answer.steps, host.closed) : [];
  if (isDryRun()) answer.steps["messenger-running"]?.warnings.push(...closed);
  else stopped.push(...closed);
  return {
    ...{ name: host.name, boot: answer.boot, tool: answer.tool, answers: answer.steps },
    problems: [...problems, ...stopped].map((each) => `${host.name}: ${printable(each)}`),
  };
};

/** Have the host compare itself with what was applied. Its problems need not be those of the documents, so they stop nothing. */
const observeApplied = async (host: ObservedHost, questions: Promise<StepQuestion[]>): Promise<SeenHost> => {
  const result = await ssh(host, observeCommand, questions.then(observeRequest));
  const { answer, problem } = understood(host, result, await questions, `${toolPath} observe`);
  if (!answer) return unreachable(host, problem);
  if (!answer.tool)
    await log.warn(
      `${host.name}: its jtel-chatctl is an older one, which does as root what documents from ${host.user} say. pulumi up installs this one; until then, take ${host.user} out of sudoers there`,
    );
  const problems = new Set(Object.values(answer.steps).flatMap((step) => step.problems));
  for (const each of problems) await log.warn(`${host.name}, as it was applied: ${printable(each)}`);
  return { name: host.name, boot: answer.boot, tool: answer.tool, answers: answer.steps, problems: [] };
};

/** A preview goes on without the host: what is known of it from the state is still shown. */
const unreachable = async ({ name }: ObservedHost, problem: string): Promise<SeenHost> => {
  const unseen = { name, answers: {}, unseen: problem };
  if (!isDryRun()) return { ...unseen, problems: [`${name}: ${problem}`] };
  await log.warn(`${name}: ${problem}. Not approvable: not seen`);
  return { ...unseen, problems: [] };
};

/**
 * Leave on a host what an installation of the tool takes from it, and tell it whose changes follow, where a look has not done so:
 * in an `up` that does not look, and in one that writes only what was approved. Resolves to why that cannot be done.
 *
 * @param balancers What a drain of this host has to know of load balancers, by their addresses.
 */
export const prepare = async (host: ObservedHost, balancers: Record<string, Balancer>): Promise<string[]> => {
  const { problem } = await asked(host, Promise.resolve([]), { writes: true, balancers });
  return problem ? [`${host.name}: ${problem}`] : [];
};

/** What the hosts' logs say of this run. */
const runText = async (): Promise<string> => {
  const reason = restartReason();
  return [await ciRun(), reason && `restart outside the window: ${reason}`].filter(Boolean).join(", ");
};

/** Ask a host about steps. `writes`: an apply follows, so the tool's text and the name of the CI run are left there. */
export const asked = async (
  host: ObservedHost,
  questions: Promise<StepQuestion[]>,
  { writes, balancers = {} }: { writes: boolean; balancers?: Record<string, Balancer> },
) => {
  const following = async () => (writes ? { run: await runText(), closed: host.closed ?? "", balancers } : undefined);
  const request = questions.then(async (all) => lookRequest(all, await following()));
  const result = await ssh(host, lookCommand(hostToolDigest()), withTool(request, "look", writes));
  await request;
  return understood(host, result, await questions);
};
