import { check } from "../config/check.ts";
import { stackFileValues } from "../config/offline.ts";
import { problemText } from "../config/problems.ts";
import type { Deployment } from "../config/schema.ts";
import type { Entry } from "./inventory.ts";
import type { Questions } from "./questions.ts";
import { proposedValues, type Reasoned, stackFileText } from "./stack-file.ts";
import type { Surveyed } from "./survey-host.ts";
import { type Proposal, proposed } from "./topology.ts";

/** How a customer's stack file comes about. */
export interface NewCustomer {
  customer: string;
  entries: Entry[];
  /** What somebody has said already, e.g. by a flag. */
  given: { publicHost?: string | undefined; scheme?: string | undefined; topology?: string | undefined };
  questions: Questions;
  /** Looks at one host. */
  survey: (entry: Entry) => Promise<Surveyed>;
  say: (line: string) => void;
}

/** A stack file's text, checked, and the secrets that a person has typed. */
export interface Made {
  text: string;
  secrets: Record<string, string>;
}

/**
 * Looks at a customer's hosts, has unknown host keys compared, and makes the text of the stack file from what was seen and
 * answered. Writes nothing.
 *
 * @throws Error with every problem and its remedy.
 */
export const newCustomer = async (args: NewCustomer): Promise<Made> => {
  const { customer, questions, say, given } = args;
  const user = oneUser(args.entries);
  const hosts = await known(args);
  const first = proposed(hosts);
  if (!first) throw new Error(`${customer}: no host has HAProxy. Name the load balancer: roles: [loadBalancer]`);
  const proposal = await agreed(first, hosts, given.topology, questions);
  say(`${customer}: ${proposal.topology}, since ${proposal.why}`);
  for (const [name, why] of proposal.reasons) say(`  ${name}: ${why}`);
  const values = proposedValues(proposal);
  const scheme = await answered(values.scheme, given.scheme, "Scheme that visitors use", questions);
  const host = await answered(values.host, given.publicHost, "Name in the URL that visitors use", questions);
  if (!scheme || !host)
    throw new Error("no certificate says which name visitors use. Give it: --public-host chat.acme.example");
  const text = stackFileText({ customer, user, proposal, values: { ...values, scheme, host }, made: new Date() });
  assertUsable(customer, text);
  const password = await questions.askSecret("Password of the database");
  return { text, secrets: password ? { "database.password": password } : {} };
};

/** All hosts with a key that somebody has vouched for; of others a person compares the fingerprint. */
const known = async ({ customer, entries, questions, survey, say }: NewCustomer): Promise<Surveyed[]> => {
  const hosts: Surveyed[] = [];
  for (const host of await Promise.all(entries.map((entry) => survey(entry)))) {
    const { offered, entry } = host;
    if (!offered) {
      hosts.push(host);
      continue;
    }
    say(`${entry.name}: ${host.problem}`);
    const same = await questions.confirm(`Is ${offered.fingerprint} the fingerprint on ${entry.name}'s console?`);
    hosts.push(same ? await survey({ ...entry, hostKey: offered.hostKey }) : host);
  }
  const unseen = hosts.filter(({ facts }) => !facts);
  const owned = hosts.filter(({ facts }) => facts?.owner && facts.owner !== `jtel-chat/${customer}`);
  const problems = [
    ...unseen.map(({ entry, problem }) => `${entry.name}: ${problem}`),
    ...owned.map(
      ({ entry, facts }) => `${entry.name}: belongs to ${facts?.owner} already. Take it out of the inventory`,
    ),
  ];
  if (problems.length) throw new Error(`${customer} was not made:\n${problems.join("\n")}`);
  return hosts;
};

const oneUser = (entries: Entry[]): string => {
  const users = [...new Set(entries.map(({ user }) => user))];
  if (users.length === 1) return users[0] ?? "";
  throw new Error(`the hosts have several users (${users.join(", ")}), a stack has one. Use the same on all of them`);
};

/** The topology that was proposed, or another one that somebody wants, with hosts that fit it. */
const agreed = async (
  first: Proposal,
  hosts: Surveyed[],
  wanted: string | undefined,
  questions: Questions,
): Promise<Proposal> => {
  const topology = (wanted ?? (await questions.ask("Topology", first.topology))) as Deployment["topology"];
  if (topology === first.topology) return first;
  const others = hosts.filter((host) => !first.loadBalancers.includes(host));
  const chatServers = topology === "lb-hosted" ? [] : first.chatServers.length ? first.chatServers : others;
  return { ...first, topology, why: "it was chosen", chatServers };
};

/** A value that was given, or answered, or else the proposal. */
const answered = async (
  proposal: Reasoned | undefined,
  given: string | undefined,
  question: string,
  questions: Questions,
): Promise<Reasoned | undefined> => {
  const value = given ?? (await questions.ask(question, proposal?.value));
  if (value === proposal?.value) return proposal;
  return value ? { value, why: "as it was given" } : undefined;
};

/** The text has to be a stack file that only lacks the secrets. */
const assertUsable = (customer: string, text: string): void => {
  const values = stackFileValues(text);
  const checked = check({ ...values, database: { ...(values.database as object), password: "0" } });
  if ("problems" in checked)
    throw new Error(`${customer} was not made:\n${problemText(checked.problems, `Pulumi.${customer}.yaml`, text)}`);
};
