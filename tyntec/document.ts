import { z } from "zod";
import type { ApiVersion } from "./api/version.ts";
import { callbacks } from "./model/callbacks.ts";
import { chatCallback } from "./model/chat-callback.ts";
import { type ChatWebhooksOptions, chatWebhooks } from "./model/chat-webhooks.ts";

const place = {
  /** Base URL of the API. */
  url: z.string(),
  caFile: z.string().optional(),
  /** Only there when it was asked for. */
  takeOver: z.literal(true).optional(),
};

const document = z.union([
  z.object({ ...place, webhooks: z.array(z.object({ events: z.array(z.string()), callbackUrl: z.string() })) }),
  z.object({ ...place, callback: z.record(z.string(), z.string()) }),
]);

/** What the resource makes true: the webhooks of API v2, or the URLs of the callback of API v3. */
export type CallbacksDocument = z.output<typeof document>;

/** What the document is made of. */
export interface CallbacksDocumentArgs extends ChatWebhooksOptions {
  url: string;
  /** @default "v2" */
  apiVersion?: ApiVersion;
  caFile?: string | undefined;
  /** The portal's public https URL. */
  portal: string;
  takeOver?: boolean;
}

/** The document that sends chat's events to the portal. */
export const callbacksDocument = (args: CallbacksDocumentArgs): CallbacksDocument => {
  const { url, caFile, takeOver, portal } = args;
  const common = { url, ...(caFile && { caFile }), ...(takeOver && { takeOver }) };
  return args.apiVersion === "v3"
    ? { ...common, callback: chatCallback(portal) }
    : { ...common, webhooks: chatWebhooks(portal, args) };
};

/** Where each event has to go that the document names. */
export const wantedOf = (value: CallbacksDocument): Map<string, string> =>
  "callback" in value ? new Map(Object.entries(value.callback)) : callbacks(value.webhooks);

/** The version of the API that the document is for. */
export const versionOf = (value: CallbacksDocument): ApiVersion => ("callback" in value ? "v3" : "v2");

/** Its text, of which `pulumi preview --diff` shows the lines. */
export const documentText = (value: CallbacksDocument): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** @throws when `text` is none of {@link documentText}. */
export const parsedDocument = (text: string): CallbacksDocument => document.parse(JSON.parse(text));
