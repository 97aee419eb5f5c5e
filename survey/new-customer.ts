import type { Deployment } from "../config/schema.ts";
import { printable } from "../hosts/printable.ts";
import { type CustomerValues, type Entry, maintenanceWindow } from "./inventory.ts";
import { nobody, type Questions } from "./questions.ts";
import { given as asGiven, type Beside, proposedValues, type Reasoned, stackFileText, usable } from "./stack-file.ts";
import type { Surveyed } from "./survey-host.ts";
import { type Proposal, proposed } from "./topology.ts";

/** How a customer's stack file comes about. */
export interface NewCustomer {
  customer: string;
  entries: Entry[];
  /** What somebody has said already, e.g. by a flag. */
  given: CustomerValues & { scheme?: string | undefined; topology?: string | undefined };
  questions: Questions;
  /** Looks at one host. */
  survey: (entry: Entry) => Promise<Surveyed>;
  say: (line: string) => void;
}

/** A stack file's text, checked, and the secrets that a person has typed. */
export interface Made {
  text: string;
  secrets: Record<string, string>;
  /** Keys of secrets that it needs, and nobody has typed, e.g. `database.password`. */
  missing: string[];
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
  const beside = {
    whatsapp: await whatsapp(scheme.value, given, questions),
    maintenance: given.maintenance ?? (await askedWindow(questions)),
  };
  const text = stackFileText({
    customer,
    user,
    proposal,
    values: { ...values, scheme, host },
    beside,
    made: new Date(),
  });
  usable(customer, text);
  const wanted = {
    "database.password": "Password of the database",
    ...(beside.whatsapp && { "tyntec.apiKey": "API key of the TynTec account" }),
  };
  const secrets: Record<string, string> = {};
  for (const [key, question] of Object.entries(wanted)) {
    const typed = await questions.askSecret(question);
    if (typed) secrets[key] = typed;
  }
  return { text, secrets, missing: Object.keys(wanted).filter((key) => !secrets[key]) };
};

/** WhatsApp is off unless somebody names its portal. It needs https. */
const whatsapp = async (scheme: string, known: CustomerValues, questions: Questions): Promise<Beside["whatsapp"]> => {
  const asked = scheme === "https" ? questions : nobody;
  const portal = known.portal ?? (await asked.ask("WhatsApp's portal as https://…, or nothing without WhatsApp"));
  if (!portal) return undefined;
  const serviceNumber = known.serviceNumber ?? (await asked.ask("WhatsApp's number, e.g. +498912345678"));
  const apiVersion = known.tyntecApi ?? (await asked.ask("Version of TynTec's API", "v2"));
  return { portal, serviceNumber: serviceNumber ?? "", apiVersion: apiVersion ?? "v2" };
};

/** @throws Error for an answer that is no window. */
const askedWindow = async (questions: Questions): Promise<Beside["maintenance"]> => {
  const answer = await questions.ask("When chat may be restarted, e.g. tue thu 22:00-04:00, or nothing for always");
  if (!answer) return undefined;
  const { data, error } = maintenanceWindow.safeParse(answer);
  if (error) throw new Error(`${printable(answer)}: ${error.issues[0]?.message}`);
  return data;
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
  return value ? { value, why: asGiven } : undefined;
};
