import type { Webhook } from "./contract/v2.ts";

/** All that the stand-in keeps of its one account. */
export interface Account {
  /** What version 2 of the API has set. */
  webhooks: Webhook[];
}

/** What the customer had set up before chat came: one webhook of another system. */
export const usualAccount: Account = {
  webhooks: [{ events: ["MessageStatus::unknown"], callbackUrl: "https://crm.lab.example/tyntec" }],
};
