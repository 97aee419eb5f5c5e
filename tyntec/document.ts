import { z } from "zod";

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

/** Its text, of which `pulumi preview --diff` shows the lines. */
export const documentText = (value: WebhooksDocument): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** @throws when `text` is none of {@link documentText}. */
export const parsedDocument = (text: string): WebhooksDocument => document.parse(JSON.parse(text));
