import { EnvHttpProxyAgent, fetch as undiciFetch } from "undici";
import type { z } from "zod";

/** A comment of ours, or one that looks like it. */
export interface Posted {
  id: number;
  body: string;
  /** Its page, where the service says so. */
  url?: string | undefined;
}

/** The comments of one pull request, or merge request, at the service that has it. Each function is one request, or its pages. */
export interface Comments {
  /** Where it is, for messages: `acme/chat#7`. */
  name: string;
  /** Characters that one comment takes. */
  limit: number;
  /** All comments that the token's account has written, the oldest first. */
  own: () => Promise<Posted[]>;
  create: (body: string) => Promise<Posted>;
  update: (id: number, body: string) => Promise<Posted>;
  remove: (id: number) => Promise<void>;
}

/** Milliseconds after which a service that has not answered is taken for one that does not. */
export const answerWithin = 30_000;

/** As `fetch`, through the proxy that `HTTPS_PROXY` and `NO_PROXY` name: Node's own does not know them. */
export const fetchProxied = async (url: string | URL, init: RequestInit): Promise<Response> =>
  undiciFetch(url, { ...init, dispatcher: new EnvHttpProxyAgent() } as object) as unknown as Promise<Response>;

/** Why a service did not do what it was asked. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** 0 where there was no answer. */
  readonly status: number;
  /** Seconds for which the service asks to be left alone; undefined where it does not. */
  readonly retryAfter: number | undefined;

  constructor(message: string, status: number, retryAfter: number | undefined) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Seconds in a `Retry-After`, which may be a date, too. */
export const secondsOf = (retryAfter: string | null | undefined): number | undefined => {
  if (!retryAfter) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};

/** The error for a success that is none, e.g. a proxy's page. */
export const noAnswer = (): ServiceError =>
  new ServiceError("answered with something else than the API does", 200, undefined);

/** Checks what was answered. @throws ServiceError where it is no answer of the API. */
export const answered = <Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> => {
  const { data: known, success } = schema.safeParse(data);
  if (success) return known;
  throw noAnswer();
};
