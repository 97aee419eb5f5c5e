import { createHmac } from "node:crypto";
import type { Sight } from "../hosts/look/look.ts";
import type { SeenHost } from "../hosts/look/look-at-host.ts";
import { printable } from "../hosts/printable.ts";
import { programLines, sha256 } from "./program-files.ts";
import { stateLines } from "./state-lines.ts";

/** What an approval depends on beside what was seen. */
export interface Surroundings {
  project: string;
  stack: string;
  /** The stack file's text. */
  stackFile: string;
  /** The state, as `pulumi stack export` prints it. */
  state: string;
  /** The stack's secrets by their keys, e.g. `database.password`. */
  secrets: Record<string, string>;
  /** The random key under which they are fingerprinted. */
  key: string | undefined;
  /** Whether this run makes the id of the hosts' owner, which is in the document of the step `tool`: a preview cannot know it. */
  newOwner: boolean;
  /** The account that may only observe, where that one has looked. */
  observer: string | undefined;
}

/** What may be approved, a line for everything that decides what an `up` does; or why that cannot be said. */
export type Approvable = { digest: string; lines: string[] } | { refused: string };

/** How an approval is made possible; the key never leaves the stack file's secrets. */
const makeKey = "openssl rand -hex 32 | pulumi config set --secret --path jtel-chat:approval.key";

/**
 * Makes what a person approves: the program and the stack file by content, the state, secrets as an HMAC-SHA-256 under the stack's
 * own key, each step's document, and of each host what decides something: generation, reason, drift, which one carries the traffic,
 * its boot. Load, memory, times and the order of arrival are not in it.
 *
 * Which operation the engine makes of a step follows from its document and the state. A document that is made from another step's
 * result, which is not known before that one was applied, stands there with the step that it comes from.
 */
export const approvable = async (sight: Sight, around: Surroundings): Promise<Approvable> => {
  const refused = whyNot(sight, around);
  if (refused) return { refused };
  const { newOwner } = around;
  const state = stateLines(around.state).filter((line) => !(newOwner && line.startsWith("state owner ")));
  const documents = await Promise.all(sight.questions.map((question) => documentLine(question, newOwner)));
  const lines = [
    `project ${around.project}`,
    `stack ${around.stack}`,
    `stack file ${sha256(around.stackFile)}`,
    ...programLines(),
    ...state,
    ...secretLines(around.secrets, around.key ?? ""),
    ...documents.sort(),
    ...sight.hosts.flatMap(hostLines).sort(),
    ...sight.prerequisites.map(({ name, found }) => `${name} ${sha256(JSON.stringify(found ?? null))}`).sort(),
  ];
  return { digest: sha256(lines.join("\n")), lines };
};

const whyNot = ({ hosts, prerequisites, problems }: Sight, { key, observer }: Surroundings): string | undefined => {
  const unseen = [...hosts, ...prerequisites].filter((each) => each.unseen).map(({ name }) => name);
  if (unseen.length) return `not seen: ${unseen.join(", ")}`;
  if (observer)
    return `${observer} has looked, who may not check what would be applied. Look with the account of ssh.user`;
  if (problems.length) return "there are problems. Repair them first";
  if (!key) return `the stack has no approval.key among its secrets. Make one: ${makeKey}`;
  return undefined;
};

const secretLines = (secrets: Record<string, string>, key: string): string[] =>
  Object.entries(secrets).map(
    ([name, value]) => `secret ${name} ${createHmac("sha256", key).update(value).digest("hex")}`,
  );

const documentLine = async (question: Sight["questions"][number], newOwner: boolean): Promise<string> => {
  const { host, step, madeFrom } = question;
  const made = step === "tool" && newOwner ? "the state's owner" : madeFrom;
  const document = step === "tool" && newOwner ? undefined : await question.document;
  return `${host.name}-${step} document ${document === undefined ? `unknown, made from ${made}` : sha256(document)}`;
};

const hostLines = ({ name, boot, tool, answers }: SeenHost): string[] => [
  `${name} boot ${boot}`,
  `${name} tool ${tool}`,
  ...Object.entries(answers).flatMap(([step, { generation, reason, drifted, diff, active, alike }]) => [
    `${name}-${step} generation ${generation}, ${drifted ? "drifted" : "as applied"}: ${printable(reason)}`,
    ...(diff ? [`${name}-${step} drift ${sha256(diff)}`] : []),
    ...(active ? [`${name}-${step} carries the traffic`] : []),
    ...Object.entries(alike).map(([item, value]) => `${name}-${step} ${printable(item)} ${printable(value)}`),
  ]),
];
