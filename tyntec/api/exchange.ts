import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";

/** How long an API that misbehaves is borne with, in milliseconds. */
export interface Patience {
  /** For one answer, from connecting to its last byte. */
  attempt: number;
  /** After this no other attempt is begun. */
  total: number;
  /** Before the second attempt; doubles with each. */
  pause: number;
}

/** An answer, whatever its status. */
export interface Answer {
  status: number;
  /** Without parameters: `application/json`. */
  type: string;
  /** How long the API asks to be left alone, in milliseconds; 0 when it does not. */
  retryAfter: number;
  text: string;
}

type RequestOptions = Pick<Dispatcher.RequestOptions, "method" | "headers" | "body">;

/** More than this is not the API's answer. */
const maxResponseSize = 1_000_000;

/**
 * The answer to a request that may be repeated, through the proxy that `HTTPS_PROXY` and `NO_PROXY` name. Asked again, within
 * `patience`, when the answer says that a later one may be better, and when there was none.
 *
 * undici's RetryAgent does not fit: it resumes a cut answer with a `Range`, and waits less than a long `Retry-After` asks for.
 *
 * @param caFile PEM file of the authority to trust instead of the public ones.
 * @throws what undici throws, or why the file cannot be read.
 */
export const exchange = async (
  url: string,
  options: RequestOptions,
  patience: Patience,
  caFile?: string,
): Promise<Answer> => {
  const tls = caFile ? { ca: readFileSync(caFile) } : {};
  const dispatcher = new EnvHttpProxyAgent({ maxResponseSize, connect: tls, ...(caFile && { requestTls: tls }) });
  const ask = async (): Promise<Answer> => {
    const signal = AbortSignal.timeout(patience.attempt);
    const { statusCode, headers, body } = await request(url, { ...options, dispatcher, signal });
    return {
      status: statusCode,
      type: String(headers["content-type"] ?? "").replace(/;.*/, ""),
      retryAfter: milliseconds(String(headers["retry-after"] ?? "")),
      text: await body.text(),
    };
  };
  try {
    return await persistently(ask, patience);
  } finally {
    await dispatcher.destroy();
  }
};

const persistently = async (ask: () => Promise<Answer>, patience: Patience): Promise<Answer> => {
  const end = Date.now() + patience.total;
  for (let wait = patience.pause; ; wait *= 2) {
    const outcome = await ask().catch((error: Error) => error);
    const next = Math.max(wait, outcome instanceof Error ? 0 : outcome.retryAfter);
    if (mayPass(outcome) && Date.now() + next <= end) await pause(next);
    else if (outcome instanceof Error) throw outcome;
    else return outcome;
  }
};

const passing = {
  statuses: [429, 500, 502, 503, 504],
  codes: ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT"],
};

const mayPass = (outcome: Answer | Error): boolean =>
  outcome instanceof Error
    ? outcome.name === "TimeoutError" || passing.codes.includes((outcome as NodeJS.ErrnoException).code ?? "")
    : passing.statuses.includes(outcome.status);

/** `Retry-After` holds seconds or a date (RFC 9110, section 10.2.3). */
const milliseconds = (retryAfter: string): number => {
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Math.max(wait || 0, 0);
};
