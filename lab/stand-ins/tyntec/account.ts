import type { Webhook } from "./contract/v2.ts";
import type { Callback, Channel, scopes } from "./contract/v3.ts";

/** All that the stand-in keeps of its one account. */
export interface Account {
  /** What version 2 of the API has set. */
  webhooks: Webhook[];
  /** What version 3 of the API has set: another thing than the webhooks. */
  callback: Callback | undefined;
  /** What the key may do in version 3. */
  scopes: (typeof scopes)[number][];
  /** The account's WhatsApp channels, with what they set for themselves. */
  channels: Channel[];
  config: object;
}

/** What the customer had set up before chat came: a webhook of another system, and in version 3 all that is not chat's. */
export const usualAccount: Account = {
  webhooks: [{ events: ["MessageStatus::unknown"], callbackUrl: "https://crm.lab.example/tyntec" }],
  callback: {
    callbackVersion: "2.12",
    businessNotificationUrl: "https://crm.lab.example/business",
    eventFilter: [],
    signature: { secret: "the-crm-signs-with-this", method: "HS256" },
    header: { key: "X-Token", value: "the-crm-asks-for-this" },
  },
  scopes: ["callbacks:read", "callbacks:write", "channels:read"],
  channels: [{ channel: "whatsapp", id: { phoneNumber: "4989123456" } }],
  config: { mediaCredentials: { type: "basic", basic: { username: "crm", password: "the-crm-s-media" } } },
};
