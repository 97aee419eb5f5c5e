/**
 * `node tyntec/webhooks.ts apply|undo` – what the `TynTecWebhooks` component runs on the controller.
 * Standard input: `{ url, caFile?, webhooks }`; the key comes as TYNTEC_API_KEY, so that it is in no command line.
 */
import { text } from "node:stream/consumers";
import { differences, merged, type Webhook } from "../render/tyntec.ts";
import { readWebhooks, type TynTecAccount, writeWebhooks } from "./api.ts";

const apply = async (account: TynTecAccount, wanted: Webhook[]): Promise<void> => {
  const present = await readWebhooks(account);
  const changes = differences(present, wanted);
  if (!changes.length) return console.log("TynTec: the webhooks are as wanted");
  await writeWebhooks(account, merged(present, wanted));
  const missing = differences(await readWebhooks(account), wanted);
  if (missing.length)
    throw new Error(`TynTec: the API accepted the webhooks, but does not have them: ${missing.join("; ")}`);
  for (const change of changes) console.log(`TynTec: ${change}`);
};

const main = async (): Promise<void> => {
  if (process.argv[2] === "undo")
    return console.log("TynTec: undo is not available in this version; nothing was changed");
  const { webhooks, ...account } = JSON.parse(await text(process.stdin)) as {
    url: string;
    caFile?: string;
    webhooks: Webhook[];
  };
  await apply({ ...account, apiKey: process.env.TYNTEC_API_KEY ?? "" }, webhooks);
};

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
