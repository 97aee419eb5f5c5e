import type { SshTarget } from "../ssh/ssh.ts";
import type { Balancer } from "./balancers.ts";
import type { OnDrift } from "./drift-policy.ts";

/** A host as far as looking at it goes. */
export interface ObservedHost extends SshTarget {
  /** Its name in the stack: errors start with it. */
  name: string;
  /** @default "heal" */
  onDrift?: OnDrift;
  /** Why this run must not restart a running chat, where it must not (restart-policy.ts). */
  closed?: string | undefined;
}

/** One step that is to be looked at. */
export interface StepQuestion {
  host: ObservedHost;
  step: string;
  /** The document it will apply, where that is public and known before anything is written. */
  document: string | undefined | Promise<string>;
  /** Whether that document is secret: the host says whether sudo there would keep it. @default false */
  secret?: boolean;
  /** What a document that is not known beforehand is made from, e.g. `secrets` or `chatserver1-messenger-secret`. */
  madeFrom?: string;
}

/** What a host notes for the changes that follow a look. */
export interface Following {
  /** The CI run, and a reason to restart outside the window, for its log. */
  run: string;
  /** Why they must not restart a running chat; empty where they may. */
  closed: string;
  /** What a drain has to know of load balancers, by their addresses. */
  balancers: Record<string, Balancer>;
}

/** What `jtel-chatctl look` reads: every step with its document, which of these are secret, and what is noted for changes that follow. */
export const lookRequest = async (questions: StepQuestion[], following?: Following): Promise<string> => {
  const documents = questions.map(async ({ step, document }) => [step, (await document) ?? null] as const);
  const steps = Object.fromEntries(await Promise.all(documents));
  const secret = questions.filter((question) => question.secret).map(({ step }) => step);
  return `${JSON.stringify({ steps, secret, ...following })}\n`;
};

/** What `jtel-chatctl observe` reads: the steps' names. */
export const observeRequest = (questions: StepQuestion[]): string => {
  const steps = Object.fromEntries(questions.map(({ step }) => [step, null]));
  return `${JSON.stringify({ steps })}\n`;
};
