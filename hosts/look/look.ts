import * as pulumi from "@pulumi/pulumi";
import DataLoader from "dataloader";
import { printable } from "../printable.ts";
import type { StepAnswer } from "./answer.ts";
import { neverLooks, observer } from "./environment.ts";
import { lookAtHost } from "./look-at-host.ts";
import type { StepQuestion } from "./question.ts";
import { unlike } from "./unlike.ts";

/** Something beside the hosts that has to be seen before the first write, e.g. the TynTec API. Resolves to its problems. */
export interface Prerequisite {
  look: () => Promise<string[]>;
}

/** The answer for a step whose host was not seen: what the state says of it stays. */
export const unseen = "unseen";

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
    Promise.all(hosts.map(([host, asked]) => lookAtHost(host, asked))),
    ...prerequisites.map(({ look }) => look()),
  ]);
  const problems = [...seen.flatMap((host) => host.problems), ...others.flat()];
  if (problems.length) {
    void Promise.reject(new pulumi.RunError(`nothing was changed:\n${[...new Set(problems)].join("\n")}`));
    return never;
  }
  for (const difference of unlike(seen)) await pulumi.log.warn(printable(difference));
  const answers = new Map(seen.map((host) => [host.name, host.answers]));
  return questions.map(
    (question) => ("step" in question && answers.get(question.host.name)?.[question.step]) || unseen,
  );
};
