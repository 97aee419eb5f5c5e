/** Version 3 of the API: the account's configuration and its one callback. */
import { z } from "zod";
import type { Targets } from "../model/destinations.ts";
import type { AccountCallbacks } from "./account-callbacks.ts";
import { call, type TynTecAccount } from "./call.ts";
import { readOverrides } from "./overrides.ts";

const secret = z.string().nullish();

/** Only what this stack looks at. Every other field is somebody's, and is written as it was read. */
const callback = z.looseObject({
  eventFilter: z.array(z.string()).nullish(),
  signature: z.looseObject({ secret }).nullish(),
  header: z.looseObject({ value: secret }).nullish(),
});

const configuration = z
  .object({ scopes: z.array(z.string()).optional(), callback: callback.nullish() })
  .refine(({ scopes, callback }) => scopes ?? callback);

type Callback = z.output<typeof callback>;

const asked = {
  subject: "account configuration",
  rights: "with the scopes callbacks:read and callbacks:write",
};

/** The account's callback (`GET /configurations`). @throws as {@link call}. */
export const readConfiguration = async (account: TynTecAccount): Promise<AccountCallbacks> => {
  const { scopes, callback } = await call(account, {
    ...asked,
    method: "GET",
    path: "/configurations",
    result: configuration,
  });
  if (scopes && !scopes.includes("callbacks:read"))
    throw new Error(lacking("callbacks:read", "read where messages go"));
  const present = callback ?? {};
  return {
    ...{ urls: urlsOf(present), merges: false, locked: lockedBy(present, scopes) },
    redirect: (targets) => writeCallback(account, present, targets),
    overrides: (wanted) => readOverrides(account, { scopes, eventFilter: present.eventFilter ?? [] }, wanted),
  };
};

/** The fields that hold a URL, e.g. `inboundMessageUrl`. */
const urlsOf = (present: Callback): Map<string, string> =>
  new Map(
    Object.entries(present).flatMap(([field, value]) =>
      field.endsWith("Url") && typeof value === "string" && value ? [[field, value] as const] : [],
    ),
  );

const lockedBy = ({ signature, header }: Callback, scopes: string[] | undefined): string | undefined => {
  if (scopes && !scopes.includes("callbacks:write")) return lacking("callbacks:write", "change where messages go");
  const masked = [
    ...(isSet(signature) && isMasked(signature?.secret) ? ["signature.secret"] : []),
    ...(isSet(header) && isMasked(header?.value) ? ["header.value"] : []),
  ];
  if (!masked.length) return undefined;
  return `TynTec: the API does not show ${masked.join(" and ")} of the account's callback. A change has to hold the complete callback, and would destroy that. Set the two URLs in TynTec's own pages`;
};

/** An empty object switches a signature off. */
const isSet = (value: object | null | undefined): boolean => Object.keys(value ?? {}).length > 0;

/** Too short for the contract (8 characters), or nothing but stars and the like. */
const isMasked = (value: string | null | undefined): boolean => !value || value.length < 8 || /^[*•.x]+$/i.test(value);

const lacking = (scope: string, what: string): string =>
  `TynTec: the API key may not ${what}: it lacks the scope ${scope}. Have TynTec add it, or set tyntec.apiKey to a key that has it`;

/** The complete callback with these URLs instead (`PUT /configurations/callbacks`). */
const writeCallback = async (account: TynTecAccount, present: Callback, targets: Targets): Promise<void> => {
  await call(account, {
    ...asked,
    method: "PUT",
    path: "/configurations/callbacks",
    body: { ...present, ...Object.fromEntries(targets) }, // a URL that is undefined is left out: it is unset
    secrets: [present.signature?.secret, present.header?.value].filter((value) => typeof value === "string"),
  });
};
