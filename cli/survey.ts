/** `npm run survey -- --inventory FILE`: a read-only look at many hosts before any is managed. */
import { readFileSync, writeFileSync } from "node:fs";
import pLimit from "p-limit";
import { asked } from "../hosts/look/look-at-host.ts";
import { readInventory } from "../survey/inventory.ts";
import { outlookOf, type Rehearsal } from "../survey/outlook.ts";
import { reportOf, surveyMarkdown } from "../survey/report.ts";
import { surveyHost } from "../survey/survey-host.ts";
import { documentsOf } from "../topologies/documents.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run survey -- --inventory FILE.yaml|FILE.csv   [--json FILE] [--markdown FILE]

Looks at hosts before any is managed: versions, who does what, certificates, open ports, what differs from the vendor's
procedure, and what a first pulumi up would change.  Reads only and installs nothing.  A host whose key is neither in the inventory
(hostKey) nor in known_hosts is not looked at; its fingerprint is shown.  Prints Markdown.
A host of the inventory: customer, name, address, user, and optionally port, roles, hostKey (docs/customers.md).
Exit code: 0 all seen, 3 a host was not seen, 1 an error.`;

/** Hosts that are asked at a time. */
const atATime = pLimit(32);

const rehearsal: Rehearsal = {
  documentsOf,
  asked: (host, questions, options) => atATime(() => asked(host, questions, options)),
};

const main = async (): Promise<void> => {
  const text = { type: "string" } as const;
  const { values } = commandLine(usage, { options: { inventory: text, json: text, markdown: text } });
  const { inventory, json, markdown } = values;
  if (!inventory) throw new Error(usage);
  const entries = readInventory(inventory, readFileSync(inventory, "utf8"));
  const hosts = await Promise.all(entries.map((entry) => atATime(() => surveyHost(entry))));
  const customers = [...Map.groupBy(hosts, ({ entry }) => entry.customer)];
  const outlooks = customers.map(async ([customer, own]) => [customer, await outlookOf(own, rehearsal)] as const);
  const report = reportOf(hosts, new Map(await Promise.all(outlooks)));
  if (json) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  if (markdown) writeFileSync(markdown, surveyMarkdown(report));
  else console.log(surveyMarkdown(report));
  process.exitCode = hosts.every(({ facts }) => facts) ? 0 : 3;
};

if (import.meta.main) main().catch(failWith);
