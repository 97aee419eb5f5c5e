import * as pulumi from "@pulumi/pulumi";
import DataLoader from "dataloader";
import { z } from "zod";
import { hostTool, hostToolDigest } from "../render/host-tool.ts";
import { lookCommand, observeCommand, printable, toolPath, wantsTool } from "./launcher.ts";
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
  /** Whether that document is secret: the host says whether sudo there would keep it. @default false */
  secret?: boolean;
}

/** A text of a host: untrusted, so bounded. The host tool says less (looking.py). */
const said = z.string().max(256 * 1024);

/** What the host says about one step. */
const stepAnswer = z.object({
  generation: z
    .int()
    .min(1)
    .max(2 ** 31 - 1),
  reason: said,
  drifted: z.boolean(),
  diff: z.string().max(1024 ** 2),
  problems: z.array(said).max(1000),
  /** What stops nothing yet. An older tool, which may be all that an observer's account can run, has none. */
  warnings: z.array(said).max(1000).default([]),
  /** What a person asks for and nothing hangs on, e.g. `days:/etc/haproxy/haproxy.pem` → `87`. */
  facts: z.record(said, said).default({}),
  /** What should have the same value on all hosts that have the step. */
  alike: z.record(said, said).default({}),
  /** Of several hosts that have the step, this one carries the traffic. */
  active: z.boolean().default(false),
});

/** `tool` is the digest of the tool that answers; older ones say none. */
const hostAnswer = z.object({
  tool: z.string().max(100).optional(),
  steps: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/), stepAnswer),
});
type HostAnswer = z.infer<typeof hostAnswer>;
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
  if (observer())
    await pulumi.log.info(
      `looking with ${observer()} (JTEL_CHAT_OBSERVE_USER): hosts are compared with what was applied. What this stack would apply was not checked there`,
    );
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

/** A preview may look with an account that sudoers limits to `jtel-chatctl observe`; an `up` looks with the one that it writes with. */
const observer = (): string | undefined =>
  (pulumi.runtime.isDryRun() && process.env.JTEL_CHAT_OBSERVE_USER) || undefined;

const observeHost = (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const user = observer();
  return user ? observeApplied({ ...host, user }, questions) : judge(host, questions);
};

/** Have the host compare itself with what was applied, and say what an apply of the documents would meet. */
const judge = async (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const steps = Object.fromEntries(questions.map(({ step, document }) => [step, document ?? null]));
  const secret = questions.filter((question) => question.secret).map(({ step }) => step);
  const run = pulumi.runtime.isDryRun() ? {} : { run: await ciRun() };
  const text = `${JSON.stringify({ steps, secret, ...run })}\n`;
  const result = await ssh(host, lookCommand(hostToolDigest(), !pulumi.runtime.isDryRun()), {
    text,
    more: { asked: wantsTool, text: hostTool() },
  });
  const { answer, problem } = understood(host, result, questions);
  if (!answer) return unreachable(host, problem);
  const problems = Object.values(answer.steps).flatMap((step) => step.problems);
  const stopped = pulumi.runtime.isDryRun() || host.onDrift !== "stop" ? [] : driftProblems(answer.steps);
  return {
    name: host.name,
    answers: answer.steps,
    problems: [...problems, ...stopped].map((each) => `${host.name}: ${printable(each)}`),
  };
};

/** Have the host compare itself with what was applied. Its problems need not be those of the documents, so they stop nothing. */
const observeApplied = async (host: ObservedHost, questions: StepQuestion[]): Promise<SeenHost> => {
  const steps = Object.fromEntries(questions.map(({ step }) => [step, null]));
  const result = await ssh(host, observeCommand, `${JSON.stringify({ steps })}\n`);
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

const driftProblems = (answers: Record<string, StepAnswer>): string[] =>
  Object.entries(answers)
    .filter(([, { drifted }]) => drifted)
    .map(
      ([step, { reason }]) =>
        `${step} was changed on the host (${reason}), and onDrift is "stop". Look at it with pulumi preview --diff; to bring it back, set onDrift: heal`,
    );

/** What the host has answered to the questions, or why that is nothing to go by. `granted`: what sudo has to let the account run. */
export const understood = (
  host: ObservedHost,
  result: SshResult,
  questions: StepQuestion[],
  granted?: string,
): { answer?: HostAnswer; problem: string } => {
  const text = answerText(result.stdout);
  if (!text || result.ended) return { problem: connectionProblem(host, result, granted) };
  const { answer, problem } = parsedAnswer(text);
  const missing = questions.find(({ step }) => answer && !Object.hasOwn(answer.steps, step));
  if (answer && !missing) return { answer, problem: "" };
  const why = missing ? `nothing about ${missing.step}` : problem;
  return {
    problem: `its answer is none that this version understands (${why}). Is jtel-chatctl there another version? pulumi up installs this one`,
  };
};

/** No list of lines is made: a host may send millions of them. */
const answerText = (stdout: string): string | undefined => {
  const start = `\n${stdout}`.indexOf(`\n${answerMark}`);
  if (start < 0) return undefined;
  const end = stdout.indexOf("\n", start);
  return stdout.slice(start + answerMark.length, end < 0 ? undefined : end);
};

const parsedAnswer = (text: string): { answer?: HostAnswer; problem: string } => {
  try {
    return { answer: hostAnswer.parse(JSON.parse(text)), problem: "" };
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    return { problem: printable(issue ? `${issue.path.join(".")}: ${issue.message}` : "it is no JSON") };
  }
};

/** Why a host gave no answer, and what to do. `granted`: what sudo has to let the account run. */
export const connectionProblem = (
  { address, port, user }: SshTarget,
  { exitCode, stderr, ended }: SshResult,
  granted = "ALL",
): string => {
  if (ended)
    return `it ${ended}, and was cut off. Look at what it says and runs: ssh ${user}@${address}, then ps -ef, journalctl --since -10min`;
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
      `${user} may not run sudo without a password there. Add '${user} ALL=(root) NOPASSWD: ${granted}' to /etc/sudoers.d`,
    ],
    [
      /jtel-chatctl: command not found/i,
      "jtel-chatctl is not installed there, or sudo does not find it. pulumi up installs it",
    ],
    [/the look was ended/i, "it does not get to the end of a look. Look at what its programs wait for"],
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
