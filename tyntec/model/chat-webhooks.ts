import { callbackPaths } from "../../render/callback-paths.ts";
import type { Webhook } from "./callbacks.ts";

/** What becomes of a message, as chat wants to know it (vendor page "WhatsApp"). */
export const statusEvents = ["accepted", "delivered", "seen", "failed", "channelFailed", "deleted"].map(
  (status) => `MessageStatus::${status}`,
);

const groupEvents = ["userJoined", "userLeft", "subjectChanged", "descriptionChanged"].map(
  (event) => `WhatsAppGroupEvent::${event}`,
);

/** Options of {@link chatWebhooks}. */
export interface ChatWebhooksOptions {
  /** Group messaging ended in 2020, and a later API may refuse its events; the vendor's page has them. @default true */
  groupEvents?: boolean | undefined;
}

/** The two webhooks of chat (API v2, vendor page "WhatsApp"); `portal` is the portal's public https URL. */
export const chatWebhooks = (portal: string, options: ChatWebhooksOptions = {}): Webhook[] => [
  { events: ["MoMessage"], callbackUrl: new URL(callbackPaths.messages, portal).href },
  {
    events: [...statusEvents, ...(options.groupEvents === false ? [] : groupEvents)],
    callbackUrl: new URL(callbackPaths.status, portal).href,
  },
];
