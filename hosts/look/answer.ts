import { z } from "zod";
import { printable } from "../printable.ts";
import { connectionProblem } from "../ssh/connection-problem.ts";
import type { SshResult } from "../ssh/ssh.ts";
import type { ObservedHost, StepQuestion } from "./question.ts";

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
  /** The host carries traffic that a change of this step could cut. */
  active: z.boolean().default(false),
});

/** `tool` is the digest of the tool that answers, `boot` a short name of the host's boot; older tools say neither. */
const hostAnswer = z.object({
  tool: z.string().max(100).optional(),
  boot: z.string().max(100).optional(),
  steps: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/), stepAnswer),
});
type HostAnswer = z.infer<typeof hostAnswer>;
export type StepAnswer = z.infer<typeof stepAnswer>;

/** What the host tool puts before its answer; a login shell may have said something, too, perhaps without a line break. */
const answerMark = "\u001ejtel-chatctl ";

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
export const answerText = (stdout: string): string | undefined => {
  const start = stdout.indexOf(answerMark);
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
