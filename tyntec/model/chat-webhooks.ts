import { callbackPaths } from "./callback-paths.ts";
import type { Webhook } from "./callbacks.ts";

const statusEvents = ["accepted", "delivered", "seen", "failed", "channelFailed", "deleted"];
const groupEvents = ["userJoined", "userLeft", "subjectChanged", "descriptionChanged"];

/** Options of {@link chatWebhooks}. */
export interface ChatWebhooksOptions {
  /** Group messaging ended in 2020, and a later API may refuse its events; the vendor's page has them. @default true */
  groupEvents?: boolean | undefined;
}

/** The two webhooks of chat (vendor page "WhatsApp"); `portal` is the portal's public https URL. */
export const chatWebhooks = (portal: string, options: ChatWebhooksOptions = {}): Webhook[] => [
  { events: ["MoMessage"], callbackUrl: new URL(callbackPaths.messages, portal).href },
  {
    events: [
      ...statusEvents.map((event) => `MessageStatus::${event}`),
      ...(options.groupEvents === false ? [] : groupEvents.map((event) => `WhatsAppGroupEvent::${event}`)),
    ],
    callbackUrl: new URL(callbackPaths.status, portal).href,
  },
];
