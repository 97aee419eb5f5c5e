/** Version 2 of the API: the default application and its webhooks. */
import { z } from "zod";
import { destinationsOf, type Webhook, webhooksFor } from "../model/callbacks.ts";
import type { AccountCallbacks } from "./account-callbacks.ts";
import { call, type TynTecAccount } from "./call.ts";

const webhook = z.object({ events: z.array(z.string()).default([]), callbackUrl: z.string() });

/** Any object would do without this: a page of something else must not pass for an application without webhooks. */
const application = z
  .object({ id: z.string().optional(), webhooks: z.array(webhook).optional() })
  .refine(({ id, webhooks }) => id ?? webhooks);

const asked = {
  path: "/applications/default",
  subject: "application",
  rights: "which may read and change its application",
  elsewhere: "An account made since 2023 has version 3 of the API only: set tyntec.apiVersion: v3",
};

/** The application's webhooks (`GET /applications/default`). @throws as {@link call}. */
export const readWebhooks = async (account: TynTecAccount): Promise<Webhook[]> => {
  const { webhooks } = await call(account, { ...asked, method: "GET", result: application });
  return webhooks ?? [];
};

/**
 * Send these webhooks' events to their URLs (`PATCH /applications/default`). The API merges by event: all others go where
 * they went. @throws as {@link call}.
 */
export const writeWebhooks = async (account: TynTecAccount, webhooks: Webhook[]): Promise<void> => {
  const hint = JSON.stringify(webhooks).includes("WhatsAppGroupEvent::") ? withoutGroupEvents : undefined;
  await call(account, { ...asked, method: "PATCH", body: { webhooks }, hint });
};

const withoutGroupEvents =
  "The API's description names no WhatsAppGroupEvent::* any more: to leave them out, set tyntec.groupEvents: false";

/** The application as an account's callbacks. @throws as {@link call}. */
export const readApplication = async (account: TynTecAccount): Promise<AccountCallbacks> => ({
  ...destinationsOf(await readWebhooks(account)),
  merges: true,
  redirect: (targets) => writeWebhooks(account, webhooksFor(targets)),
  overrides: async () => [],
});
