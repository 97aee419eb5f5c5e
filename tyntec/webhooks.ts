/**
 * `node tyntec/webhooks.ts apply|undo` – what the `TynTecWebhooks` component runs on the controller.
 *
 * Standard input: `{ url, caFile?, webhooks }`; the key comes as TYNTEC_API_KEY, so that it is in no command line.
 * The last line of its output is `before: {event: url, …}`, where our events went before us: Pulumi keeps it and hands it
 * over as PULUMI_COMMAND_STDOUT, so undo can give it back.
 */
import { text } from "node:stream/consumers";
import { callbacks, differences, merged, restored, type Webhook } from "../render/tyntec.ts";
import { readWebhooks, type TynTecAccount, writeWebhooks } from "./api.ts";

type Callbacks = Record<string, string>;

const mark = "before: ";

const apply = async (account: TynTecAccount, wanted: Webhook[]): Promise<void> => {
  const present = await readWebhooks(account);
  const changes = differences(present, wanted);
  if (changes.length) {
    await writeWebhooks(account, merged(present, wanted));
    const missing = differences(await readWebhooks(account), wanted);
    if (missing.length)
      throw new Error(`TynTec: the API accepted the webhooks, but does not have them: ${missing.join("; ")}`);
  }
  for (const change of changes.length ? changes : ["the webhooks are as wanted"]) console.log(`TynTec: ${change}`);
  console.log(mark + JSON.stringify(before() ?? ours(present, wanted)));
};

const undo = async (account: TynTecAccount, wanted: Webhook[]): Promise<void> => {
  const present = await readWebhooks(account);
  await writeWebhooks(account, restored(present, wanted, before() ?? {}));
  console.log("TynTec: the webhooks are as they were");
};

/** What an earlier run of this resource has found. */
const before = (): Callbacks | undefined => {
  const lines = (process.env.PULUMI_COMMAND_STDOUT ?? "").split("\n");
  const line = lines.findLast((each) => each.startsWith(mark));
  return line ? (JSON.parse(line.slice(mark.length)) as Callbacks) : undefined;
};

/** An event that goes to our URL already is none of anybody else: the state was lost, or an earlier run died. */
const ours = (present: Webhook[], wanted: Webhook[]): Callbacks => {
  const events = callbacks(wanted);
  const before = [...callbacks(present)].filter(([event, url]) => events.has(event) && events.get(event) !== url);
  return Object.fromEntries(before);
};

const main = async (): Promise<void> => {
  const { webhooks, ...rest } = JSON.parse(await text(process.stdin)) as {
    url: string;
    caFile?: string;
    webhooks: Webhook[];
  };
  const account = { ...rest, apiKey: process.env.TYNTEC_API_KEY ?? "" };
  await (process.argv[2] === "undo" ? undo : apply)(account, webhooks);
};

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
