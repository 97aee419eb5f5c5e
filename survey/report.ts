import { z } from "zod";
import { code } from "../report/neutral.ts";
import { certificatesOf, hostFacts } from "./found.ts";
import type { Outlook } from "./outlook.ts";
import type { Surveyed } from "./survey-host.ts";
import { proposed } from "./topology.ts";

const surveyedHost = z.object({
  name: z.string(),
  address: z.string(),
  /** Whether something is known of it. */
  seen: z.boolean(),
  problem: z.string().optional(),
  /** Of a host whose key nobody has vouched for. */
  fingerprint: z.string().optional(),
  facts: hostFacts.omit({ format: true }).optional(),
  certificates: z.array(z.object({ path: z.string(), names: z.array(z.string()), days: z.number().optional() })),
  /** What a first `up` of the proposed stack would do here, or why that is not known; absent where nothing is proposed. */
  up: z
    .union([
      z.object({ unknown: z.string() }),
      z.object({
        changes: z.record(z.string(), z.string()),
        owed: z.record(z.string(), z.string()),
        problems: z.array(z.string()),
      }),
    ])
    .optional(),
});

/** What `npm run survey --json` writes. */
export const surveyReport = z.object({
  format: z.literal(1),
  /** When, e.g. `2026-11-26T10:00:00Z`. */
  made: z.string(),
  customers: z.array(
    z.object({
      customer: z.string(),
      /** What `npm run new` would propose; absent where no load balancer is known. */
      topology: z.string().optional(),
      why: z.string().optional(),
      hosts: z.array(surveyedHost),
    }),
  ),
});
export type SurveyReport = z.output<typeof surveyReport>;
type Host = z.output<typeof surveyedHost>;

/** What is known of an `up`, by customers and hosts. */
export type Outlooks = Map<string, Map<string, Outlook>>;

/** Makes the report of all hosts, customer by customer, in the inventory's order. */
export const reportOf = (hosts: Surveyed[], outlooks: Outlooks, now = new Date()): SurveyReport => ({
  format: 1,
  made: `${now.toISOString().slice(0, 19)}Z`,
  customers: [...Map.groupBy(hosts, ({ entry }) => entry.customer)].map(([customer, own]) => {
    const { topology, why } = proposed(own) ?? {};
    return {
      customer,
      ...(topology && { topology, why }),
      hosts: own.map((host) => hostOf(host, outlooks.get(customer)?.get(host.entry.name), now)),
    };
  }),
});

const hostOf = (
  { entry: { name, address }, facts, problem, offered }: Surveyed,
  up: Outlook | undefined,
  now: Date,
): Host => {
  const certificates = facts ? certificatesOf(facts, now.getTime()) : [];
  const { format: _, ...rest } = facts ?? {};
  return {
    ...{ name, address, seen: facts !== undefined },
    ...(problem && { problem }),
    ...(offered && { fingerprint: offered.fingerprint }),
    ...(facts && { facts: withoutPems(rest as Host["facts"]) }),
    certificates: certificates.map(({ days, ...each }) => ({ ...each, ...(days !== undefined && { days }) })),
    ...(up && { up }),
  };
};

const withoutPems = (facts: Host["facts"]): Host["facts"] =>
  facts?.haproxy ? { ...facts, haproxy: { ...facts.haproxy, certificates: [] } } : facts;

/** The report as Markdown: a table for each customer, then what wants a decision. What hosts have said is no markup in it. */
export const surveyMarkdown = ({ made, customers }: SurveyReport): string => {
  const seen = customers.flatMap(({ hosts }) => hosts).filter((host) => host.seen).length;
  const all = customers.flatMap(({ hosts }) => hosts).length;
  const head = [
    `# Survey of ${all} ${all === 1 ? "host" : "hosts"}`,
    "",
    `${made}: ${seen} seen, ${all - seen} not seen.`,
  ];
  return [...head, ...customers.flatMap(customerText)].join("\n").concat("\n");
};

const columns = ["host", "system", "Java", "HAProxy", "ufw", "share", "chat", "open ports", "managed by"];

const customerText = ({ customer, topology, why, hosts }: SurveyReport["customers"][number]): string[] => [
  ...["", `## ${customer}`, ""],
  topology ? `Proposed: ${topology}, since ${why}.` : "No load balancer is known, so nothing is proposed.",
  ...["", `| ${columns.join(" | ")} |`, `| ${columns.map(() => "---").join(" | ")} |`],
  ...hosts.map((host) => `| ${row(host).join(" | ")} |`),
  ...["", ...hosts.flatMap(remarks)],
];

const row = (host: Host): string[] => {
  const { name, address, facts } = host;
  const label = `${name} (${address})`;
  if (!facts) return [label, "not seen", ...columns.slice(2).map(() => "")];
  const { packages, haproxy, firewall, share, chat, ports, owner, system } = facts;
  const java = Object.entries(packages).find(([each]) => /^openjdk-\d+-jre-headless$/.test(each));
  return [
    label,
    said(system),
    java ? `${java[0].split("-")[1]}` : "no",
    haproxy ? `${version(packages.haproxy)}${haproxy.active ? "" : ", does not run"}` : "no",
    firewall ? `${version(packages.ufw)}, ${firewall.active ? "on" : "off"}` : "no",
    share?.mounted ? "mounted" : "no",
    chat?.installed
      ? `${chat.unit === "ours" ? "managed" : chat.unit}, ${chat.active ? "runs" : "does not run"}`
      : "no",
    ports.map(({ port }) => port).join(", "),
    owner ? said(owner) : "nobody",
  ];
};

const remarks = ({ name, problem, facts, certificates, up }: Host): string[] => {
  const frontends = facts?.haproxy?.frontends ?? [];
  return [
    ...(problem ? [`- **${name}** ${said(problem)}`] : []),
    ...frontends.map((each) => `- ${name}: frontend ${said(each.name)} on ${each.ports.join(", ") || "no port"}`),
    ...certificates.map(
      ({ path, names, days }) =>
        `- ${name}: certificate ${said(path)} ${days === undefined ? "cannot be read" : `ends in ${days} days`}${names.length ? `: ${said(names.join(", "))}` : ""}`,
    ),
    ...(facts?.deviations ?? []).map((each) => `- ${name} differs: ${said(each)}`),
    ...(facts?.unread ?? []).map((each) => `- ${name} not read: ${said(each)}`),
    ...(facts && !facts.root ? [`- ${name} was looked at without root, so programs and rules are missing`] : []),
    ...outlook(name, up),
  ];
};

/** What a first \`up\` would do on a host. */
const outlook = (name: string, up: Host["up"]): string[] => {
  if (!up) return [];
  if ("unknown" in up) return [`- ${name}: what \`up\` would change is not known: ${said(up.unknown)}`];
  const changes = Object.entries(up.changes).map(([what, how]) => `${said(what)} ${said(how)}`);
  return [
    `- ${name}: \`up\` would change: ${changes.join(", ")}`,
    ...Object.entries(up.owed).map(
      ([unit, why]) =>
        `- ${name}: \`up\` would not restart ${said(unit)}, and its restart would be owed (${said(why)})`,
    ),
    ...up.problems.map((problem) => `- **${name}** keeps \`up\` from writing anything: ${said(problem)}`),
  ];
};

/** A package's version without Debian's revision: `2.6.12` of `2.6.12-1+deb12u2`. */
const version = (text = "?"): string => said(text.split("-")[0] ?? text);

/** A host's text, in which nothing is markup, also in a table. */
const said = (text: string): string => code(text.replaceAll("|", "¦"));
