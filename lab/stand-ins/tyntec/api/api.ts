import type { Account } from "../account.ts";
import type { Violation } from "../contract/problem.ts";

/** A request with the right key. */
export interface Asked {
  method: string | undefined;
  /** Below the version's base URL: `/applications/default`. */
  path: string;
  /** Of a PATCH or PUT, parsed. */
  body: unknown;
  /** Events that begin with this are refused. */
  refuseEvents?: string | undefined;
}

/** What comes of it: a value to send as JSON, or what is wrong. */
export type Outcome = { status: number; value?: unknown } | Problem;

export interface Problem {
  status: number;
  title: string;
  detail: string;
  violations?: Violation[];
}

/** One version of the API. Changes the account, and never answers what the provider's description does not have. */
export type Api = (asked: Asked, account: Account) => Outcome;

export const notFound = (path: string): Problem => ({ status: 404, title: "Not Found", detail: `nothing at ${path}` });

export const notAllowed = (method = ""): Problem => ({ status: 405, title: "Method Not Allowed", detail: method });

export const invalid = (violations: Violation[]): Problem => ({
  ...{ status: 400, title: "Constraint Violation", detail: "the body is not as expected", violations },
});
