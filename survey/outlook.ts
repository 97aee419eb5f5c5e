import type { Deployment } from "../config/schema.ts";
import type { asked } from "../hosts/look/look-at-host.ts";
import type { StepQuestion } from "../hosts/look/question.ts";
import { printable } from "../hosts/printable.ts";
import { unitName } from "../render/client-messenger/places.ts";
import { factsOf } from "../report/seen.ts";
import { proposedValues, stackFileText, usable } from "./stack-file.ts";
import type { Surveyed } from "./survey-host.ts";
import { type Proposal, proposed } from "./topology.ts";

/** What a first `up` of the stack that `npm run new` would propose does on one host. */
export interface Changes {
  /** By what is changed: `{ "/etc/haproxy/haproxy.cfg": "our blocks written" }`. */
  changes: Record<string, string>;
  /** Units that run, and owe a restart from then on, by why. Nothing restarts them: the proposed stack holds that. */
  owed: Record<string, string>;
  /** Why it would write nothing anywhere, each with its remedy. */
  problems: string[];
}

/** That, or why it is not known. */
export type Outlook = Changes | { unknown: string };

/** How the proposed stack is rehearsed; a test has others. */
export interface Rehearsal {
  /** What an `up` of a stack asks its hosts. */
  documentsOf: (deployment: Deployment) => Promise<StepQuestion[]>;
  asked: typeof asked;
}

/**
 * Makes the stack that `npm run new` would propose for a customer, in memory, and has his hosts judge its documents as a preview
 * does: reads only, over one more connection each.
 *
 * @returns By the names of hosts; one that would have nothing of chat is missing.
 */
export const outlookOf = async (hosts: Surveyed[], rehearsal: Rehearsal): Promise<Map<string, Outlook>> => {
  const proposal = proposed(hosts);
  if (!proposal) return new Map();
  const inIt = [...new Set([...proposal.loadBalancers, ...proposal.chatServers])];
  const unknown = (why: string) => new Map(inIt.map(({ entry }) => [entry.name, { unknown: why }]));
  if (hosts.some(({ facts }) => !facts)) return unknown("not every host was seen");
  const managed = inIt.find(({ facts }) => facts?.owner);
  if (managed) return unknown(`${managed.facts?.owner} has ${managed.entry.name} already: npm run report says it`);
  const unprivileged = inIt.find(({ facts }) => !facts?.root);
  if (unprivileged) return unknown(`${unprivileged.entry.user} needs sudo without a password for that`);
  const deployment = deploymentOf(proposal);
  if (typeof deployment === "string") return unknown(deployment);
  const questions = Map.groupBy(await rehearsal.documentsOf(deployment), ({ host }) => host.name);
  const found = inIt.map(async (host): Promise<[string, Outlook]> => {
    const own = questions.get(host.entry.name) ?? [];
    return [host.entry.name, await judged(host, own, rehearsal)];
  });
  return new Map(await Promise.all(found));
};

/** The stack that `npm run new` would propose, or why there is none yet. */
const deploymentOf = (proposal: Proposal): Deployment | string => {
  const [{ entry } = { entry: undefined }] = proposal.loadBalancers;
  const { host, ...values } = proposedValues(proposal);
  if (!entry) return "no load balancer is known";
  if (!host) return "no certificate says which name visitors use";
  const { customer, user } = entry;
  try {
    return usable(customer, stackFileText({ customer, user, proposal, values: { ...values, host }, made: new Date() }));
  } catch (error) {
    return printable((error as Error).message);
  }
};

const judged = async (host: Surveyed, questions: StepQuestion[], { asked }: Rehearsal): Promise<Outlook> => {
  const { entry, hostKey = "", facts, jump } = host;
  const target = { ...entry, hostKey, jump };
  const { answer, problem } = await asked(target, Promise.resolve(questions), { writes: false });
  if (!answer) return { unknown: problem };
  const steps = Object.values(answer.steps);
  const said = (kind: string) => Object.assign({}, ...steps.map((step) => factsOf(step.facts, kind)));
  const starts = "messenger-running" in answer.steps && !facts?.chat?.active;
  return {
    changes: {
      ...{ "jtel-chatctl": "installed", ...said("due") },
      ...("messenger-secret" in answer.steps && { "connection to the database": "written" }),
      ...(starts && { [unitName]: "started" }),
    },
    owed: said("restarts"),
    problems: steps.flatMap(({ problems }) => problems.map(printable)),
  };
};
