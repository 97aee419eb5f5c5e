/**
 * Version 2 of the API, `/applications/default`, in our own words: its requests and answers as the provider describes them
 * (repository tyntec/api-collection, state of May 2026).
 */
import { z } from "zod";

const events = [
  "MoMessage",
  ...["accepted", "channelFailed", "deleted", "delivered", "failed", "seen", "unknown"].map(
    (status) => `MessageStatus::${status}`,
  ),
  // The description names these no more. The vendor's page asks for them.
  ...["userJoined", "userLeft", "subjectChanged", "descriptionChanged"].map((event) => `WhatsAppGroupEvent::${event}`),
];

const event = z.enum(events, { error: ({ input }) => `unknown event type ${input}` });

/** Without events it is the default webhook: it gets what no other one names. */
const webhook = z.object({
  events: z.array(event).default([]),
  callbackUrl: z.string().regex(/^https:\/\//, 'must match "^https://"'),
});

export type Webhook = z.output<typeof webhook>;

/** The answer to a GET. */
export const application = z.object({
  id: z.literal("default"),
  name: z.literal("Default Application"),
  webhooks: z.array(webhook),
});

/** The body of a PATCH. */
export const applicationUpdate = z.object({ webhooks: z.array(webhook).default([]) });
