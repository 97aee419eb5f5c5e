/** `npm run new -- CUSTOMER`: a new stack from what a customer's hosts say. */
import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { customerValues, type Entry, flaggedValues, readInventory } from "../survey/inventory.ts";
import { newCustomer } from "../survey/new-customer.ts";
import { makeStack } from "../survey/new-stack.ts";
import { nobody, person, type Questions } from "../survey/questions.ts";
import { surveyHost } from "../survey/survey-host.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run new -- CUSTOMER [--from INVENTORY | --host NAME=ADDRESS… --user USER [--jump USER@ADDRESS[:PORT]]]
                       [--topology TOPOLOGY] [--scheme https|http] [--public-host NAME] [--maintenance "DAYS FROM-TO ZONE"]
                       [--portal URL --service-number NUMBER [--tyntec-api v2|v3]] [--secrets-provider URL]
                       [--yes] [--no-preview]
npm run new -- --from INVENTORY   every customer of the inventory that has no stack file yet

Looks at the hosts, has unknown host keys compared, proposes topology and values, writes Pulumi.<customer>.yaml with the reason
beside each, makes the stack with its secrets, and ends in a preview.  Never overwrites a file.  --yes asks nothing and takes what
is proposed; a secret that was not asked for is set later with the command that is printed.`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const options = () =>
  commandLine(usage, {
    allowPositionals: true,
    options: {
      ...{ from: text, user: text, topology: text, scheme: text, "public-host": text, "secrets-provider": text },
      ...{ portal: text, "service-number": text, "tyntec-api": text, maintenance: text, jump: text },
      ...{ host: { type: "string", multiple: true }, yes: flag, "no-preview": flag },
    },
  } as const);

type Flags = ReturnType<typeof options>["values"];

const main = async (): Promise<void> => {
  const { values, positionals } = options();
  const [customer] = positionals;
  if (positionals.length > 1 || !(customer || values.from)) throw new Error(usage);
  const asking = !values.yes && process.stdin.isTTY && process.stdout.isTTY;
  const questions = asking ? person(process.stdin, process.stdout) : nobody;
  const entries = values.from
    ? readInventory(values.from, readFileSync(values.from, "utf8"))
    : await askedHosts(customer ?? "", values, questions);
  const customers = customer ? [customer] : [...new Set(entries.map((each) => each.customer))].filter(isNew);
  const failed: string[] = [];
  for (const each of customers) {
    const own = entries.filter((entry) => entry.customer === each);
    await make(each, own, values, questions).catch((error: Error) => failed.push(error.message));
  }
  if (failed.length) throw new Error(failed.join("\n"));
};

const fileOf = (customer: string): string => `Pulumi.${customer}.yaml`;
const isNew = (customer: string): boolean => !existsSync(fileOf(customer));

const make = async (customer: string, entries: Entry[], values: Flags, questions: Questions): Promise<void> => {
  if (!isNew(customer))
    throw new Error(`${fileOf(customer)} exists, and stays as it is. Choose another name, or edit it`);
  if (!entries.length) throw new Error(`${customer}: the inventory has no host of that customer`);
  const { topology, scheme } = values;
  const given = { ...customerValues(entries), ...flaggedValues(values), topology, scheme };
  const say = (line: string): void => console.log(line);
  const {
    text: written,
    secrets,
    missing,
  } = await newCustomer({
    ...{ customer, entries, given, questions, say },
    survey: surveyHost,
  });
  await makeStack(process.cwd(), { customer, text: written, secrets, secretsProvider: values["secrets-provider"] });
  say(`wrote ${fileOf(customer)}`);
  if (!missing.length) return values["no-preview"] ? undefined : preview(customer);
  const set = missing.map((key) => `pulumi config set --secret --path 'jtel-chat:${key}' --stack ${customer}`);
  say(`then set ${missing.join(" and ")}, and look: ${set.join("; ")}; pulumi preview --diff --stack ${customer}`);
};

/** Hosts that were named by flags, or that a person names one by one. */
const askedHosts = async (
  customer: string,
  { host = [], user, jump }: Flags,
  questions: Questions,
): Promise<Entry[]> => {
  const login = user ?? (await questions.ask("Account on the hosts", "deploy")) ?? "deploy";
  const named = [...host];
  while (!host.length) {
    const next = await questions.ask(`Host ${named.length + 1} as NAME=ADDRESS, or nothing`);
    if (!next) break;
    named.push(next);
  }
  const rows = named.map((each) => {
    const [name = "", address = ""] = each.split("=");
    return { customer, name, address, user: login, jump };
  });
  return readInventory("--host", JSON.stringify(rows));
};

const preview = async (customer: string): Promise<void> => {
  const { exitCode } = await execa("pulumi", ["preview", "--diff", "--stack", customer], {
    ...{ stdio: "inherit", reject: false },
  });
  process.exitCode = exitCode ?? 1;
};

if (import.meta.main) main().catch(failWith);
