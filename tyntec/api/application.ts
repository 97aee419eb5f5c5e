import { z } from "zod";
import { printable } from "../../hosts/printable.ts";
import type { Webhook } from "../model/callbacks.ts";
import { type Answer, exchange, type Patience } from "./exchange.ts";

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

const application = z.object({
  webhooks: z.array(z.looseObject({ events: z.array(z.string()), callbackUrl: z.string() })).default([]),
});

/** The application's webhooks (`GET /applications/default`). @throws Error that starts with `TynTec:` and says what to do. */
export const readWebhooks = async (account: TynTecAccount): Promise<Webhook[]> => {
  const answer = await call(account, "GET");
  try {
    return application.parse(JSON.parse(answer.text)).webhooks;
  } catch {
    const got = answer.text ? `${answer.text.length} bytes of ${answer.type || "no type"}` : "nothing";
    throw complaint(account, "GET", `${answer.status}, but no application came: ${got}. ${remedies.url}`);
  }
};

/** Replace the application's webhooks (`PATCH /applications/default`). @throws as {@link readWebhooks}. */
export const writeWebhooks = async (account: TynTecAccount, list: Webhook[]): Promise<void> => {
  await call(account, "PATCH", JSON.stringify({ webhooks: list }));
};

type Method = "GET" | "PATCH";

const path = "/applications/default";
const defaultPatience: Patience = { attempt: 10_000, total: 30_000, pause: 500 };

/** A PATCH may be repeated: it holds the complete set. */
const call = async (account: TynTecAccount, method: Method, body?: string): Promise<Answer> => {
  const { url, apiKey, caFile, patience = defaultPatience } = account;
  const accept = "application/json, application/problem+json";
  const headers = { apikey: apiKey, accept, "content-type": "application/json" };
  const options = { method, headers, ...(body && { body }) };
  const answer = await exchange(url + path, options, patience, caFile).catch((error: NodeJS.ErrnoException) => {
    throw complaint(account, method, unreachable(account, error));
  });
  if (answer.status < 300) return answer;
  throw complaint(account, method, refusal({ ...answer, text: withoutKey(account, answer.text) }, body));
};

const complaint = (account: TynTecAccount, method: Method, text: string): Error =>
  new Error(withoutKey(account, `TynTec: ${method} ${account.url}${path}: ${text}`));

/** What the API says may hold anything, the key included; a text that is to be cut must lose it before. */
const withoutKey = ({ apiKey }: TynTecAccount, text: string): string =>
  apiKey ? text.replaceAll(apiKey, "[API key]") : text;

const remedies = {
  url: "Is tyntec.url the API's base URL, with its version?",
  key: "Set tyntec.apiKey to a key of this account, which may read and change its application",
  events:
    "Correct what it names. A later API knows no events WhatsAppGroupEvent::*: to leave them out, set tyntec.groupEvents: false",
};

const refusal = (answer: Answer, body = ""): string => {
  const { status, retryAfter } = answer;
  const said = `${status}${problemText(answer)}`;
  if (status === 401 || status === 403) return `the API key is refused (${said}). ${remedies.key}`;
  if (status === 404 || status === 405 || status < 400) return `there is no application (${said}). ${remedies.url}`;
  if (status === 429 || status >= 500) {
    const when = retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s, as it asks` : "later";
    return `the API cannot do it now (${said}). Try again ${when}`;
  }
  return `refused (${said}). ${body.includes("WhatsAppGroupEvent::") ? remedies.events : "Correct what it names"}`;
};

/** A number or an object where a text belongs must not hide the rest. */
const line = z.string().optional().catch(undefined);
const problem = z.object({
  title: line,
  detail: line,
  violations: z
    .array(z.object({ field: line, message: line }))
    .optional()
    .catch(undefined),
});

/** What an `application/problem+json` (RFC 9457) says, in one line; of another answer its type. */
const problemText = ({ type, text }: Answer): string => {
  try {
    const { title, detail, violations = [] } = problem.parse(JSON.parse(text));
    const named = violations.map(({ field, message }) => [field, message].filter(Boolean).join(" "));
    const said = [title, detail, ...named].filter(Boolean).join(" – ");
    return said && `: ${printable(said)}`;
  } catch {
    return text ? `, ${printable(type || "no type")} instead of a reason` : "";
  }
};

const unreachable = (
  { url, caFile, patience = defaultPatience }: TynTecAccount,
  error: NodeJS.ErrnoException,
): string => {
  const { name, code = "", message } = error;
  const said = printable(message || code || String(error));
  if (name === "TimeoutError") return notReachable(url, `no complete answer within ${patience.attempt / 1000} s`);
  if (caFile && error.path === caFile)
    return `tyntec.caFile cannot be read (${said}). Correct the path, or remove the key`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL|^ERR_OSSL/.test(code))
    return `its certificate is not accepted (${said}). Where the API, or a proxy before it, has an authority of its own, name its PEM file in tyntec.caFile`;
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return `the answer is too long for an application. ${remedies.url}`;
  return notReachable(url, said);
};

const notReachable = (url: string, why: string): string =>
  `${URL.parse(url)?.host} is not reachable (${why}). Is tyntec.url right, and may this machine reach it? ${proxyRemedy()}`.trim();

/** Never its URL, which may hold a password. */
const proxyRemedy = (): string => {
  const { https_proxy, HTTPS_PROXY, http_proxy, HTTP_PROXY } = process.env;
  const proxy = https_proxy ?? HTTPS_PROXY ?? http_proxy ?? HTTP_PROXY;
  if (!proxy) return "";
  return `A proxy is set (HTTPS_PROXY, ${URL.parse(proxy)?.host || "no URL"}): is it right, or does the API belong into NO_PROXY?`;
};
