import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import DataLoader from "dataloader";
import { z } from "zod";
import { hostTool } from "../render/host-tool.ts";
import { observeCommand, printable } from "./launcher.ts";
import { ciRun } from "./run.ts";
import { type SshResult, type SshTarget, ssh } from "./ssh.ts";

/** A host as far as looking at it goes. */
export interface ObservedHost extends SshTarget {
  /** Its name in the stack: errors start with it. */
  name: string;
  /** What `up` does about hand edits: bring the configuration back, or stop before the first write. @default "heal" */
  onDrift?: "heal" | "stop";
}

/** Something beside the hosts that has to be seen before the first write, e.g. the TynTec API. Resolves to its problems. */
export interface Prerequisite {
  look: () => Promise<string[]>;
}

/** One step that is to be looked at. */
export interface StepQuestion {
  host: ObservedHost;
  step: string;
  /** The document it will apply, where that is public and known beforehand. */
  document: string | undefined;
}

/** What the host says about one step. */
const stepAnswer = z.object({
  generation: z.int().min(1),
  reason: z.string(),
  drifted: z.boolean(),
  diff: z.string(),
  problems: z.array(z.string()),
  /** What stops nothing yet. An older tool, which may be all that an observer's account can run, has none. */
  warnings: z.array(z.string()).default([]),
  /** What should have the same value on all hosts that have the step. */
  alike: z.record(z.string(), z.string()).default({}),
  /** Of several hosts that have the step, this one carries the traffic. */
  active: z.boolean().default(false),
});
const hostAnswer = z.object({ steps: z.record(z.string(), stepAnswer) });
export type StepAnswer = z.infer<typeof stepAnswer>;

/** The answer for a step whose host was not seen: what the state says of it stays. */
export const unseen = "unseen";

/** Whether this run may go on without having seen a host. An `up` that looks does not: there it is an error. */
export const mayBeUnseen = (): boolean => pulumi.runtime.isDryRun() || neverLooks();

const neverLooks = (): boolean => process.env.JTEL_CHAT_OBSERVE === "never";

/** The line that the host tool puts before its answer; a login shell may have said something, too. */
const answerMark = "\u001ejtel-chatctl ";

/** What steps get to hear when the program fails: an error each would bury the one that says why. */
const never: Promise<never> = new Promise(() => {});

/**
 * Looks at hosts: all steps that are registered in one turn of the event loop are asked in one ssh exec per host, and no
 * answer is given before every host has been seen. So nothing is written anywhere while something is wrong somewhere.
 *
 * When something is wrong, the program ends with one RunError that names every host's problems.
 */
const loader = new DataLoader<StepQuestion | Prerequisite, StepAnswer | typeof unseen>(
  (questions) => observe(questions),
  { batchScheduleFn: (batch) => setImmediate(batch), cache: false },
);

/**
 * What the step's host says, once every host of the program has been seen; `unseen` where looking is switched off
 * (`JTEL_CHAT_OBSERVE=never`) or, in a preview only, where the host cannot be reached.
 */
export const observed = (question: StepQuestion): Promise<StepAnswer | typeof unseen> => loader.load(question);

/** Have something looked at together with the hosts. */
export const prerequisite = async (question: Prerequisite): Promise<void> => {
  await loader.load(question);
};

const observe = async (
  questions: readonly (StepQuestion | Prerequisite)[],
): Promise<(StepAnswer | typeof unseen)[]> => {
  if (neverLooks()) {
    await pulumi.log.warn(
      "no host was looked at (JTEL_CHAT_OBSERVE=never): this preview does not show drift. Not approvable: not seen",
    );
    return questions.map(() => unseen);
  }
  const prerequisites = questions.filter((question) => "look" in question);
  const steps = questions.filter((question) => "step" in question);
  const hosts = [...Map.groupBy(steps, ({ host }) => host)];
  const [seen, ...others] = await Promise.all([
    Promise.all(hosts.map(([host, asked]) => observeHost(host, asked))),
    ...prerequisites.map(({ look }) => look()),
  ]);
  const problems = [...seen.flatMap((host) => host.problems), ...others.flat()];
  if (problems.length) {
    void Promise.reject(new pulumi.RunError(`nothing was changed:\n${[...new Set(problems)].join("\n")}`));
    return never;
  }
  for (const difference of differences(seen)) await pulumi.log.warn(printable(difference));
  const answers = new Map(seen.map((host) => [host.name, host.answers]));
  return questions.map(
    (question) => ("step" in question && answers.get(question.host.name)?.[question.step]) || unseen,
  );
};

/** No host knows the others: what should be alike on all of them is compared here. */
const differences = (seen: SeenHost[]): string[] => {
  const values = seen.flatMap(({ name, answers }) =>
    Object.values(answers).flatMap(({ alike }) =>
      Object.entries(alike).map(([item, value]) => ({ name, item, value })),
    ),
  );
  return [...Map.groupBy(values, ({ item }) => item)]
    .filter(([, found]) => new Set(found.map(({ value }) => value)).size > 1)
    .map(
      ([item, found]) =>
        `not the same everywhere, ${item}: ${found.map(({ name, value }) => `${name} ${value}`).join(", ")}`,
    );
};

interface SeenHost {
  name: string;
  answers: Record<string, StepAnswer>;
  problems: string[];
}

const observeHost = async (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const steps = Object.fromEntries(questions.map(({ step, document }) => [step, document ?? null]));
  const request = pulumi.runtime.isDryRun() ? { steps } : { steps, run: await ciRun() };
  const tool = hostTool();
  const digest = createHash("sha256").update(tool).digest("hex");
  const result = await ssh(observer(host), observeCommand(digest), `${JSON.stringify(request)}\n${tool}`);
  const answers = parsedAnswer(result)?.steps;
  if (!answers) return unreachable(host, connectionProblem(host, result));
  const problems = Object.values(answers).flatMap((answer) => answer.problems);
  const stopped = pulumi.runtime.isDryRun() || host.onDrift !== "stop" ? [] : driftProblems(answers);
  return {
    name: host.name,
    answers,
    problems: [...problems, ...stopped].map((problem) => `${host.name}: ${printable(problem)}`),
  };
};

/** A preview may look with an account that sudoers limits to `jtel-chatctl observe`; an `up` looks with the one that it writes with. */
const observer = (host: ObservedHost): ObservedHost => {
  const user = process.env.JTEL_CHAT_OBSERVE_USER;
  return user && pulumi.runtime.isDryRun() ? { ...host, user } : host;
};

/** A preview goes on without the host: what is known of it from the state is still shown. */
const unreachable = async ({ name }: ObservedHost, problem: string): Promise<SeenHost> => {
  if (!pulumi.runtime.isDryRun()) return { name, answers: {}, problems: [`${name}: ${problem}`] };
  await pulumi.log.warn(`${name}: ${problem}. Not approvable: not seen`);
  return { name, answers: {}, problems: [] };
};

const driftProblems = (answers: Record<string, StepAnswer>): string[] =>
  Object.entries(answers)
    .filter(([, { drifted }]) => drifted)
    .map(
      ([step, { reason }]) =>
        `${step} was changed on the host (${reason}), and onDrift is "stop". Look at it with pulumi preview --diff; to bring it back, set onDrift: heal`,
    );

const parsedAnswer = ({ stdout }: SshResult) => {
  const text = stdout.split("\n").find((line) => line.startsWith(answerMark));
  try {
    return hostAnswer.parse(JSON.parse(text?.slice(answerMark.length) ?? ""));
  } catch {
    return undefined;
  }
};

/** Why a host gave no answer, and what to do. */
export const connectionProblem = ({ address, port, user }: SshTarget, { exitCode, stderr }: SshResult): string => {
  const said = printable(stderr.trim().split("\n").slice(-3).join(" "));
  const remedies: [RegExp, string][] = [
    [
      /host key verification failed|host identification has changed|host key is known/i,
      "its host key is not the pinned one. Compare hostKey with the host's /etc/ssh/ssh_host_*_key.pub, from its console; a rebuilt host has a new one",
    ],
    [
      /permission denied|authentication fail|no supported authentication/i,
      `it refuses the login as ${user}. Load your key into the ssh agent (ssh-add -l shows it), and check that the host knows it`,
    ],
    [
      /sudo:.*password is required|not allowed to execute|not in the sudoers|may not run sudo/i,
      `${user} may not run sudo without a password there. Add '${user} ALL=(root) NOPASSWD: ALL' to /etc/sudoers.d`,
    ],
    [/python3: (command )?not found|sudo: python3/i, "python3 is missing there. Install it: apt install python3"],
    [/could not resolve/i, `its address ${address} does not resolve. Correct 'address', or use the IP address`],
    [
      /timed out|refused|unreachable|no route|connection closed|reset by/i,
      `not reachable on ${address}, port ${port}. Is it up, and does its firewall let ssh in from here?`,
    ],
  ];
  const remedy = remedies.find(([pattern]) => pattern.test(stderr))?.[1];
  return `${remedy ?? `looking at it failed with exit code ${exitCode}. Run the command yourself: ssh ${user}@${address}`} (${said || "it said nothing"})`;
};
