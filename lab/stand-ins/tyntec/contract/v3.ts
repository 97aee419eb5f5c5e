/**
 * Version 3 of the API, `/configurations`, in our own words: its requests and answers as the provider describes them
 * (repository tyntec/api-collection, state of May 2026). Fields that are not named here may come, too.
 */
import { z } from "zod";

const url = z
  .string()
  .regex(/^https:\/\//, 'must match "^https://"')
  .max(2000);

const statuses = ["accepted", "channelFailed", "deleted", "delivered", "failed", "seen", "unknown"];

/** What a channel may set for itself; the rest is the account's. */
const channelCallback = z.looseObject({
  callbackVersion: z.enum(["2.11", "2.12", "2.13"]).optional(),
  inboundMessageUrl: url.optional(),
  messageStatusUrl: url.optional(),
  /** Empty: all. */
  eventFilter: z.array(z.enum(statuses.map((status) => `MessageStatus::${status}`))).optional(),
});

/** The body of `PUT /configurations/callbacks`: what it lacks is unset. */
export const callback = channelCallback.extend({
  signature: z.looseObject({ secret: z.string().min(8).max(125), method: z.enum(["HS256", "HS512"]) }).optional(),
  header: z.looseObject({ key: z.string().min(4).max(125), value: z.string().min(8).max(1024) }).optional(),
  businessNotificationUrl: url.optional(),
  callingNotificationUrl: url.optional(),
});

export type Callback = z.output<typeof callback>;

export const scopes = [
  ...["callbacks:read", "callbacks:write", "channels:read"],
  ...["credentials:read", "credentials:write", "media:read", "media:write"],
] as const;

/** The answer to `GET /configurations`, and to a PUT. */
export const configuration = z.looseObject({
  scopes: z.array(z.enum(scopes)),
  callback: callback.optional(),
  config: z.looseObject({}).optional(),
});

/** An element of the answer to `GET /configurations/channels/whatsapp`. */
const channel = z.looseObject({
  channel: z.literal("whatsapp"),
  id: z.looseObject({ phoneNumber: z.string() }),
  scopes: z.array(z.string()).optional(),
  callback: channelCallback.optional(),
});

export type Channel = z.output<typeof channel>;

/** The answer to `GET /configurations/channels/whatsapp`. */
export const channels = z.array(channel);
