import { z } from "zod";
import { statusEvents } from "../model/chat-webhooks.ts";
import type { Targets } from "../model/destinations.ts";
import { openPart } from "../model/whereabouts.ts";
import { call, type TynTecAccount } from "./call.ts";

/** What is known of the account already. */
interface AccountSettings {
  scopes: string[] | undefined;
  /** The statuses that are sent; empty is all. */
  eventFilter: string[];
}

const channels = z.array(
  z.looseObject({
    id: z.looseObject({ phoneNumber: z.string().optional() }).optional(),
    callback: z.looseObject({ eventFilter: z.array(z.string()).nullish() }).nullish(),
  }),
);

/**
 * What keeps messages or statuses from chat although the account's URLs lead there, as lines: a filter, and the settings of a
 * WhatsApp channel (`GET /configurations/channels/whatsapp`), which win over the account's. They are somebody's, and stay.
 */
export const readOverrides = async (
  account: TynTecAccount,
  { scopes, eventFilter }: AccountSettings,
  wanted: Targets,
): Promise<string[]> => [
  ...filtered("the account", eventFilter),
  ...(await ofChannels(account, scopes, wanted).catch((error: Error) => [`${notKnown}: ${error.message}`])),
];

const notKnown = "whether a WhatsApp channel has URLs of its own is not known";

const ofChannels = async (account: TynTecAccount, scopes: string[] | undefined, wanted: Targets): Promise<string[]> => {
  if (scopes && !scopes.includes("channels:read")) return [`${notKnown}: the API key lacks the scope channels:read`];
  const path = "/configurations/channels/whatsapp";
  const asked = { subject: "list of channels", rights: "with the scope channels:read" };
  const list = await call(account, { ...asked, method: "GET", path, result: channels });
  return list.flatMap(({ id, callback }) => {
    const name = `the WhatsApp channel ${id?.phoneNumber ?? "without a number"}`;
    const own = [...wanted].flatMap(([field, url]) => {
      const other = callback?.[field];
      if (typeof other !== "string" || !other || other === url) return [];
      return [`${name} has an own ${field}, ${openPart(other)}, which wins over the account's: chat does not get that`];
    });
    return [...own, ...filtered(name, callback?.eventFilter ?? [])];
  });
};

const filtered = (name: string, eventFilter: string[]): string[] => {
  const missing = statusEvents.filter((event) => !eventFilter.includes(event));
  if (!eventFilter.length || !missing.length) return [];
  return [`the eventFilter of ${name} leaves out ${missing.join(", ")}: chat does not get that`];
};
