import { z } from "zod";
import { type ChatWebhooksOptions, chatWebhooks } from "./model/chat-webhooks.ts";

const document = z.object({
  /** Base URL of the API. */
  url: z.string(),
  caFile: z.string().optional(),
  /** Only there when it was asked for. */
  takeOver: z.literal(true).optional(),
  webhooks: z.array(z.object({ events: z.array(z.string()), callbackUrl: z.string() })),
});

/** What the `tyntec-webhooks` resource makes true. */
export type WebhooksDocument = z.output<typeof document>;

/** What the document is made of. */
export interface WebhooksDocumentArgs extends ChatWebhooksOptions {
  url: string;
  caFile?: string | undefined;
  /** The portal's public https URL. */
  portal: string;
  takeOver?: boolean;
}

/** The document that sends chat's events to the portal. */
export const webhooksDocument = (args: WebhooksDocumentArgs): WebhooksDocument => {
  const { url, caFile, takeOver, portal } = args;
  return { url, ...(caFile && { caFile }), ...(takeOver && { takeOver }), webhooks: chatWebhooks(portal, args) };
};

/** Its text, of which `pulumi preview --diff` shows the lines. */
export const documentText = (value: WebhooksDocument): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** @throws when `text` is none of {@link documentText}. */
export const parsedDocument = (text: string): WebhooksDocument => document.parse(JSON.parse(text));
