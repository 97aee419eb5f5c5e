import { isDryRun, log } from "../../config/pulumi.ts";
import { printable } from "../printable.ts";
import type { StepAnswer } from "./answer.ts";
import { type Balancer, seenBalancers } from "./balancers.ts";
import { approvedDigest, neverLooks, observer } from "./environment.ts";
import { lookAtHost, prepare, type SeenHost } from "./look-at-host.ts";
import type { ObservedHost, StepQuestion } from "./question.ts";
import { refusal } from "./refusal.ts";
import { unlike } from "./unlike.ts";

/** The answer for what was not seen: what the state says of it stays. */
export const unseen = "unseen";

/** What came of looking at something beside the hosts. */
export interface FoundPrerequisite<Found> {
  found: Found;
  /** Why nothing may be written anywhere. */
  problems: string[];
  /** What was moved there since the last `up`, which takes it back, as lines. */
  drift?: string[];
  /** What stops nothing, as lines. */
  warnings?: string[];
  /** Why it was not asked, where a preview may not ask. */
  unseen?: string | undefined;
}

/** The same with its name, e.g. `tyntec-webhooks`. */
export type SeenPrerequisite = FoundPrerequisite<unknown> & { name: string };

/** Something beside the hosts that has to be seen before the first write. */
export interface Prerequisite<Found> {
  /** What is looked at, e.g. `tyntec-webhooks`. */
  name: string;
  /** Says what was found; an error that it throws is a problem, too. */
  look: () => Promise<FoundPrerequisite<Found>>;
}

/** All that a run has seen. */
export interface Sight {
  /** What was asked, in the order of the program. */
  questions: StepQuestion[];
  hosts: SeenHost[];
  prerequisites: SeenPrerequisite[];
  /** Why nothing may be written anywhere. */
  problems: string[];
}

/** Says what else speaks against writing, once everything was seen. */
export type Judge = (sight: Sight) => Promise<string[]>;

/** Milliseconds after which a look says whom it waits for, again and again: it ends by itself after minutes (ssh.ts). */
const patience = 10_000;

type StepAnswers = Record<string, StepAnswer>;

/**
 * The one look at all hosts, and at what else has to be seen, before anything is written anywhere.
 *
 * The program registers its steps and prerequisites, and closes the look once it has constructed everything. Only then is
 * anything asked: all hosts at once, each of them once, over connections that are made from {@link logIn} or a host's first step
 * on. No answer is given before everything was seen; with a problem anywhere there is none at all, and no resource is registered
 * that waits for one.
 *
 * @example
 * const look = new Look();
 * new Host({ ...target, look }).step("java", javaDocument(java), { parent });
 * await look.close();
 */
export class Look {
  private readonly lookAt: typeof lookAtHost;
  private readonly prepare: typeof prepare;
  /** By their names. */
  private readonly hosts = new Map<string, AskedHost>();
  private readonly prerequisites: (() => Promise<SeenPrerequisite>)[] = [];
  private closed = false;
  private readonly closing = Promise.withResolvers<Judge>();
  private readonly seen = this.closing.promise.then((judge) => this.lookAtAll(judge));

  /**
   * @param lookAt How one host is asked. @default over ssh
   * @param prepareHost How a host gets what an apply needs and a look has not left there. @default over ssh
   */
  constructor(lookAt = lookAtHost, prepareHost = prepare) {
    this.lookAt = lookAt;
    this.prepare = prepareHost;
  }

  /**
   * Have a step looked at. Resolves once everything was seen: to what the step's host says, or to {@link unseen} where looking
   * is switched off (`JTEL_CHAT_OBSERVE=never`) or, in a preview only, where the host cannot be reached.
   *
   * Rejects with what {@link close} rejects with.
   *
   * @throws Error when the look is closed.
   */
  registerStep(question: StepQuestion): Promise<StepAnswer | typeof unseen> {
    const { host, step } = question;
    this.assertOpen(`${host.name}-${step}`);
    this.logIn(host).questions.push(question);
    return this.seen.then((hosts) => hosts.get(host.name)?.[step] ?? unseen);
  }

  /** As {@link registerStep}, for something beside the hosts. Resolves to what was found there. */
  registerPrerequisite<Found>({ name, look }: Prerequisite<Found>): Promise<Found | typeof unseen> {
    this.assertOpen(name);
    let found: Found | typeof unseen = unseen;
    this.prerequisites.push(async () => {
      const seen = await look();
      found = seen.found;
      return { name, ...seen };
    });
    return this.seen.then(() => found);
  }

  /**
   * Look: everything was registered. The program's last statement waits for it.
   *
   * @param judge Has the last word before any answer is given, and so before anything is written. @default none
   * @throws RunError with every host's, prerequisite's and the judge's problems.
   */
  async close(judge: Judge = async () => []): Promise<void> {
    this.closed = true;
    this.closing.resolve(judge);
    await this.seen;
  }

  /** Begins to ask a host, unless that has begun. It hears its questions when there are all of them. */
  logIn(host: ObservedHost): AskedHost {
    const begun = this.hosts.get(host.name);
    if (begun) return begun;
    const questions: StepQuestion[] = [];
    const seen = neverLooks()
      ? notLookedAt(host)
      : this.lookAt(
          host,
          this.closing.promise.then(() => questions),
        );
    seen.catch(() => {}); // which the look says once it is closed
    const asked = { host, questions, seen };
    this.hosts.set(host.name, asked);
    return asked;
  }

  private assertOpen(name: string): void {
    if (!this.closed) return;
    throw new Error(
      `${name}: cannot be looked at any more, since the look was closed before it was registered. Register it before look.close(), which has to be the program's last statement`,
    );
  }

  private async lookAtAll(judge: Judge): Promise<Map<string, StepAnswers>> {
    if (!this.hosts.size && !this.prerequisites.length) return new Map();
    const sight = await this.look();
    const problems = [...sight.problems, ...(await judge(sight))];
    if (problems.length) throw refusal(problems);
    const { told, warnings } = seenBalancers(sight.hosts);
    if (!isDryRun()) await this.prepareAll(told);
    for (const warning of [...unlike(sight.hosts), ...warnings]) await log.warn(printable(warning));
    return new Map(sight.hosts.map(({ name, answers }) => [name, answers]));
  }

  private async look(): Promise<Sight> {
    if (neverLooks())
      await log.warn(
        "no host was looked at (JTEL_CHAT_OBSERVE=never): this preview does not show drift. Not approvable: not seen",
      );
    else if (observer())
      await log.info(
        `looking with ${observer()} (JTEL_CHAT_OBSERVE_USER): hosts are compared with what was applied. What this stack would apply was not checked there`,
      );
    const prerequisitesToSee = neverLooks() ? [] : this.prerequisites;
    const [hosts, prerequisites] = await Promise.all([
      named([...this.hosts].map(([name, { seen }]) => ({ name, work: seen }))),
      Promise.all(prerequisitesToSee.map((look) => look().catch(failed))),
    ]);
    const questions = [...this.hosts.values()].flatMap((each) => each.questions);
    const problems = [...hosts, ...prerequisites].flatMap((each) => each.problems);
    return { questions, hosts, prerequisites, problems };
  }

  /**
   * What a look that may leave nothing behind has not done: the installation of the tool takes its text from the host. And what no
   * host knows by itself: on which load balancers a person has it, or all others, out of service.
   */
  private async prepareAll(told: Map<string, Map<string, Balancer>>): Promise<void> {
    const hosts = [...this.hosts.values()].map(({ host }) => host);
    const due = hosts.filter(({ name }) => neverLooks() || approvedDigest() || told.get(name)?.size);
    const balancersOf = ({ name }: ObservedHost) =>
      hosts.flatMap((each): [string, Balancer][] => {
        const how = told.get(name)?.get(each.name);
        return how ? [[each.address, how]] : [];
      });
    const prepared = due.map((host) => this.prepare(host, Object.fromEntries(balancersOf(host))));
    const problems = (await Promise.all(prepared)).flat();
    if (problems.length) throw refusal(problems);
  }
}

/** A host with its questions so far, and what will come of them. */
interface AskedHost {
  host: ObservedHost;
  questions: StepQuestion[];
  seen: Promise<SeenHost>;
}

const notLookedAt = async ({ name }: ObservedHost): Promise<SeenHost> => ({
  ...{ name, answers: {}, problems: [] },
  unseen: "was not looked at (JTEL_CHAT_OBSERVE=never)",
});

const failed = (error: Error): SeenPrerequisite => ({ name: "", found: undefined, problems: [error.message] });

/** All the works' results; after a while the names of those that are waited for are printed. */
const named = async <Result>(works: { name: string; work: Promise<Result> }[]): Promise<Result[]> => {
  const waiting = new Set(works.map(({ name }) => name));
  for (const { name, work } of works) work.finally(() => waiting.delete(name)).catch(() => {});
  const voice = setInterval(() => void log.info(`waiting for ${[...waiting].join(", ")}`), patience);
  try {
    return await Promise.all(works.map(({ work }) => work));
  } finally {
    clearInterval(voice);
  }
};
