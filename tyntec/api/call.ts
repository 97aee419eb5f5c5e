import type { z } from "zod";
import { printable } from "../../hosts/printable.ts";
import { exchange, type Patience } from "./exchange.ts";
import { type Asked, refusal, wrongAddress } from "./refusal.ts";
import { unreachable } from "./unreachable.ts";

/** Where the API is and who asks. */
export interface TynTecAccount {
  /** Base URL, e.g. `https://api.tyntec.com/chat-api/v2`. */
  url: string;
  apiKey: string;
  /** PEM file of a certificate authority that is not a public one. */
  caFile?: string | undefined;
  /** @default answers within 10 s, and no other attempt after 30 s */
  patience?: Patience;
}

/** One request, which may be repeated. */
export interface Call<Result> extends Asked {
  method: "GET" | "PATCH" | "PUT";
  /** Below the base URL: `/applications/default`. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Texts that no message may show, beside the key. */
  secrets?: string[];
  /** What has to come; without it nothing does. */
  result?: z.ZodType<Result>;
}

const defaultPatience: Patience = { attempt: 10_000, total: 30_000, pause: 500 };

/** What the API answers. @throws Error that starts with `TynTec:` and says what to do; it never holds the key. */
export const call = async <Result = undefined>(account: TynTecAccount, asked: Call<Result>): Promise<Result> => {
  const { url, apiKey, caFile, patience = defaultPatience } = account;
  const { method, path, body, result, subject, secrets = [] } = asked;
  // What the API says may hold anything, the key included; a text that is to be cut must lose it before.
  const masks = [[apiKey, "[API key]"], ...secrets.map((secret) => [secret, "[secret]"])].filter(([text]) => text);
  const open = (said: string): string => masks.reduce((text, [from = "", to = ""]) => text.replaceAll(from, to), said);
  const complaint = (text: string): Error => new Error(open(`TynTec: ${method} ${url}${path}: ${text}`));
  const accept = "application/json, application/problem+json";
  const headers = { apikey: apiKey, accept, "content-type": "application/json" };
  const options = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const answer = await exchange(url + path, options, patience, caFile).catch((error: NodeJS.ErrnoException) => {
    throw complaint(unreachable({ url, caFile, attempt: patience.attempt }, error));
  });
  if (answer.status >= 300) throw complaint(refusal({ ...answer, text: open(answer.text) }, asked));
  try {
    return result?.parse(JSON.parse(answer.text)) as Result;
  } catch {
    const got = answer.text ? `${answer.text.length} bytes of ${printable(answer.type) || "no type"}` : "nothing";
    throw complaint(`${answer.status}, but no ${subject} came: ${got}. ${wrongAddress}`);
  }
};
