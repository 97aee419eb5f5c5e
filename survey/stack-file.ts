import { isIP } from "node:net";
import { check } from "../config/check.ts";
import { stackFileValues } from "../config/offline.ts";
import { problemText } from "../config/problems.ts";
import type { Deployment } from "../config/schema.ts";
import { printable } from "../hosts/printable.ts";
import { keyFingerprint } from "../hosts/ssh/host-keys.ts";
import { certificatesOf } from "./found.ts";
import type { CustomerValues } from "./inventory.ts";
import type { Surveyed } from "./survey-host.ts";
import type { Proposal } from "./topology.ts";

/** A value for a stack file, and why it was proposed. */
export interface Reasoned<Value = string> {
  value: Value;
  why: string;
}

/** What a person may answer otherwise. */
export interface Values {
  scheme: Reasoned;
  /** The name that visitors use; undefined where nothing on the hosts says it. */
  host: Reasoned | undefined;
  certificate: Reasoned | undefined;
  database: { key: string; value: string; why: string }[];
}

/** The defaults of the stack file's database, which are not written. */
const usual: Record<string, string> = {
  ...{ host: "acd-dbm", port: "3306", name: "JTELWeb", user: "root" },
  ...{ serverTimezone: "Europe/Berlin", characterEncoding: "utf8" },
};

/** Proposes what the hosts' certificates and a chat that was installed by hand say. */
export const proposedValues = (proposal: Proposal, now = Date.now()): Values => {
  const [certificate] = proposal.loadBalancers
    .flatMap((host) => (host.facts ? certificatesOf(host.facts, now).map((each) => ({ ...each, host })) : []))
    .filter(({ days }) => days !== undefined && days >= 0);
  const name = certificate?.names.find((each) => !each.startsWith("*"));
  const at = certificate?.host.entry.name;
  return {
    scheme: certificate
      ? { value: "https", why: `HAProxy on ${at} has a certificate, ${certificate.days} days more` }
      : { value: "http", why: "no load balancer has a certificate that can be read. WhatsApp needs https" },
    host: name ? { value: name, why: `the name in ${certificate?.path} on ${at}` } : undefined,
    certificate: certificate && { value: certificate.path, why: `as HAProxy on ${at} has it` },
    database: databaseOf(proposal),
  };
};

const databaseOf = (proposal: Proposal): Values["database"] => {
  const host = serversOf(proposal).find(({ facts }) => facts?.chat?.database);
  const found = Object.entries(host?.facts?.chat?.database ?? {});
  const why = `from the unit on ${host?.entry.name}`;
  return found.flatMap(([key, value]) => (value && value !== usual[key] ? [{ key, value, why }] : []));
};

/** The chat servers of a proposal. */
const serversOf = ({ topology, loadBalancers, chatServers }: Proposal): Surveyed[] =>
  topology === "lb-hosted" ? loadBalancers : chatServers;

/** What the hosts do not say: somebody has given it. */
export interface Beside {
  whatsapp?: { portal: string; serviceNumber: string; apiVersion: string } | undefined;
  maintenance?: CustomerValues["maintenance"];
}

/** What a stack file is made from. */
export interface StackFileArgs {
  customer: string;
  user: string;
  proposal: Proposal;
  values: Values & { host: Reasoned };
  /** Of no host: absent values have no lines. */
  beside?: Beside;
  /** When, for its first lines. */
  made: Date;
}

/**
 * Writes the text of a new stack file, with the reason beside each value. Its first line names the JSON Schema, as in other stack
 * files; secrets are not in it.
 */
export const stackFileText = ({ customer, user, proposal, values, beside = {}, made }: StackFileArgs): string => {
  const { scheme, host, certificate, database } = values;
  const day = made.toISOString().slice(0, 10);
  const lines = [
    "# yaml-language-server: $schema=docs/stack-file.schema.json",
    `# ${customer}: written by npm run new on ${day} from what its hosts said. The reason stands beside each value.`,
    "config:",
    `  jtel-chat:topology: ${proposal.topology}${comment(proposal.why)}`,
    "  jtel-chat:public:",
    line("scheme", scheme),
    line("host", host),
    ...(certificate && scheme.value === "https" ? [line("certificate", certificate)] : []),
    `  jtel-chat:ssh: { user: ${quoted(user)}, become: sudo }${comment("the account that the hosts were looked at with")}`,
    "  jtel-chat:loadBalancers:",
    ...proposal.loadBalancers.flatMap((each) => hostLines(each, proposal)),
    ...(proposal.chatServers.length ? ["  jtel-chat:chatServers:"] : []),
    ...proposal.chatServers.flatMap((each) => hostLines(each, proposal)),
    ...shareLines(proposal),
    ...javaLines(proposal),
    ...restartLines(proposal),
    ...(database.length ? ["  jtel-chat:database:", ...database.map((each) => line(each.key, each))] : []),
    ...whatsappLines(proposal, beside),
    ...maintenanceLines(beside),
    ...firewallLines(proposal),
  ];
  return `${lines.join("\n")}\n`;
};

/**
 * Checks a text that is to be a stack file, and lacks its secrets only.
 *
 * @throws Error with all its problems.
 */
export const usable = (customer: string, text: string): Deployment => {
  const values = stackFileValues(text);
  const [database, tyntec] = [values.database as object, values.tyntec as object | undefined];
  const secrets = { database: { ...database, password: "0" }, ...(tyntec && { tyntec: { ...tyntec, apiKey: "0" } }) };
  const checked = check({ ...values, ...secrets });
  if ("deployment" in checked) return checked.deployment;
  throw new Error(`${customer} was not made:\n${problemText(checked.problems, `Pulumi.${customer}.yaml`, text)}`);
};

/** Why a value is what it is that no host has said. */
export const given = "as it was given";

const hostLines = ({ entry, hostKey = "", jump }: Surveyed, { reasons }: Proposal): string[] => [
  `    - name: ${entry.name}${comment(reasons.get(entry.name) ?? "")}`,
  `      address: ${quoted(entry.address)}`,
  `      hostKey: ${hostKey}${comment(keyFingerprint(hostKey))}`,
  ...(entry.port === 22 ? [] : [`      port: ${entry.port}`]),
  ...(jump
    ? [`      jump: ${JSON.stringify(jump)}${comment(`through ${jump.address}, ${keyFingerprint(jump.hostKey)}`)}`]
    : []),
];

const shareLines = (proposal: Proposal): string[] => {
  const hosted = serversOf(proposal).find(({ facts }) => facts?.chat?.data.startsWith("/srv/jtel/"));
  if (!hosted) return [];
  return [`  jtel-chat:share: { hosted: true }${comment(`DATADIR on ${hosted.entry.name} is the share's home`)}`];
};

/** Java as it is there; Debian 13 has no Java 17, which is the default. */
const javaLines = (proposal: Proposal): string[] => {
  const servers = serversOf(proposal);
  const installed = servers.flatMap(({ entry, facts }) =>
    Object.keys(facts?.packages ?? {}).flatMap((each) => {
      const version = /^openjdk-(\d+)-jdk$/.exec(each)?.[1];
      return version ? [{ version, name: entry.name }] : [];
    }),
  );
  const java = (version: string, why: string) => [
    `  jtel-chat:java: { package: openjdk-${version}-jdk, version: ${version} }${comment(why)}`,
  ];
  const [other] = installed.filter(({ version }) => version !== "17");
  if (installed.some(({ version }) => version === "17")) return [];
  if (other) return java(other.version, `${other.name} has it`);
  const trixie = servers.find(({ facts }) => facts?.system === "debian 13");
  return trixie ? java("21", `${trixie.entry.name} is Debian 13, which has no Java 17`) : [];
};

/** A chat that runs is not restarted by being managed. */
const restartLines = (proposal: Proposal): string[] => {
  const byHand = serversOf(proposal).filter(({ facts }) => facts?.chat?.unit === "by hand");
  if (!byHand.length) return [];
  const names = byHand.map(({ entry }) => entry.name).join(", ");
  return [
    `  jtel-chat:clientMessenger:`,
    `    restart: hold${comment(`chat on ${names} was installed by hand: the first up restarts nothing. Remove this in the window`)}`,
  ];
};

const whatsappLines = ({ loadBalancers }: Proposal, { whatsapp }: Beside): string[] => {
  if (!whatsapp) return [];
  const [host] = loadBalancers;
  const frontend = host?.facts?.haproxy?.frontends.find(({ ports, tls }) => tls && ports.includes(443))?.name;
  const why = `the frontend on port 443 of HAProxy on ${host?.entry.name}`;
  return [
    "  jtel-chat:whatsapp:",
    `    portal: ${quoted(whatsapp.portal)}${comment(given)}`,
    `    serviceNumber: ${quoted(whatsapp.serviceNumber)}${comment(given)}`,
    ...(frontend && frontend !== "acdportal_https" ? [line("frontend", { value: frontend, why })] : []),
    `  jtel-chat:tyntec: { apiVersion: ${whatsapp.apiVersion} }${comment("accounts made since 2023 have v3 only")}`,
  ];
};

const maintenanceLines = ({ maintenance }: Beside): string[] =>
  maintenance ? [`  jtel-chat:maintenance: ${JSON.stringify(maintenance)}${comment(given)}`] : [];

/** The firewall's default rules are made from addresses. */
const firewallLines = ({ loadBalancers, chatServers }: Proposal): string[] =>
  [...loadBalancers, ...chatServers].every(({ entry }) => isIP(entry.address))
    ? []
    : ["  # Some addresses are names. Use IP addresses, or set jtel-chat:firewall: { sources: [10.1.0.0/24] }"];

const line = (key: string, { value, why }: Reasoned): string =>
  `    ${key}: ${key === "port" && /^\d+$/.test(value) ? value : quoted(value)}${comment(why)}`;

/** A comment behind a value, on one line whatever a host has said. */
const comment = (text: string): string => (text ? ` # ${printable(text).replaceAll(/\s+/g, " ")}` : "");

/** A text as YAML takes it: what is not plain in quotes. */
const quoted = (text: string): string =>
  /^[A-Za-z/][A-Za-z0-9_./@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
