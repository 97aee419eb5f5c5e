/**
 * Stand-in for TynTec's API, over TLS. What it takes and answers is as the provider describes it (`contract/`), and it can be
 * told to fail. Started by the lab: `node server.ts SETTINGS.json`.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createControlServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { json, text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "./account.ts";
import type { Api, Outcome, Problem } from "./api/api.ts";
import { version2 } from "./api/v2.ts";
import { version3 } from "./api/v3.ts";
import { problem } from "./contract/problem.ts";

/** What the lab hands over; the file is 0600, for it holds the key. */
export interface TyntecSettings {
  address: string;
  port: number;
  /** File with certificate, chain and key. */
  pem: string;
  apiKey: string;
  /** Unix socket on which the lab says how to fail. */
  controlSocket: string;
  /** One line of JSON for each request, without its key. */
  log: string;
  /** The {@link Account}; survives a restart. */
  state: string;
}

/** How requests go wrong until told otherwise. */
export interface Failure {
  /** Only requests with this method. @default every method */
  method?: string;
  /** Requests that are served before it begins. @default 0 */
  skip?: number;
  /** How many requests. @default all */
  count?: number;
  /** Serve the request before it fails, so that only its answer is lost. @default false */
  late?: boolean;
  /** Answer with this status. Without it the request is served, after `delay`. */
  status?: number;
  /** The answer's body, word for word, and its type. @default a problem document */
  body?: string;
  type?: string;
  /** Header `Retry-After`: seconds, or a date. */
  retryAfter?: number | string;
  /** Milliseconds before the answer. */
  delay?: number;
  /** Close the connection instead of answering, or in the middle of the answer. */
  cut?: boolean | "halfway";
  /** Refuse events that begin with this, as the later API does with `WhatsAppGroupEvent::`. */
  refuseEvents?: string;
}

/** The versions by their base URL. */
const versions: Record<string, Api> = { "/chat-api/v2": version2, "/conversations/v3": version3 };
const settings: TyntecSettings = JSON.parse(readFileSync(process.argv[2] as string, "utf8"));
let failure: Failure = {};

interface Reply {
  status: number;
  body?: string;
  type?: string;
  headers?: Record<string, string>;
}

/** The failure that this request meets; uses up `skip`, then `count`. */
const failureOf = ({ method }: IncomingMessage): Failure => {
  const { skip = 0, count = Number.POSITIVE_INFINITY } = failure;
  if (count <= 0 || (failure.method && failure.method !== method)) return {};
  failure = skip ? { ...failure, skip: skip - 1 } : { ...failure, count: count - 1 };
  return skip ? {} : failure;
};

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await text(request);
  const wrong = failureOf(request);
  const served = wrong.late ? answer(request, body, wrong.refuseEvents) : undefined;
  if (wrong.delay) await pause(wrong.delay);
  if (wrong.cut === true) {
    log(request, body, "cut");
    request.socket.destroy();
    return;
  }
  const reply = wrong.status ? toldToFail(wrong.status, wrong) : (served ?? answer(request, body, wrong.refuseEvents));
  log(request, body, wrong.cut ? "cut" : reply.status);
  response.writeHead(reply.status, { ...(reply.body && { "Content-Type": reply.type }), ...reply.headers });
  if (wrong.cut) response.write(reply.body?.slice(0, 10), () => request.socket.destroy());
  else response.end(reply.body);
};

const toldToFail = (status: number, { retryAfter, body, type = "application/json" }: Failure): Reply => {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  if (body !== undefined) return { status, body, type, headers };
  return { ...problemReply({ status, title: "Told to fail", detail: `the lab answers ${status}` }), headers };
};

const answer = (request: IncomingMessage, body: string, refuseEvents?: string): Reply => {
  const outcome = outcomeOf(request, body, refuseEvents);
  if ("title" in outcome) return problemReply(outcome, request.url);
  const { status, value } = outcome;
  return { status, ...(value !== undefined && { body: JSON.stringify(value), type: "application/json" }) };
};

const outcomeOf = ({ headers, url = "", method }: IncomingMessage, text: string, refuseEvents?: string): Outcome => {
  if (headers.apikey !== settings.apiKey)
    return { status: 401, title: "Unauthorized", detail: "missing or unknown apikey" };
  const [base, api] = Object.entries(versions).find(([base]) => url.startsWith(`${base}/`)) ?? [];
  if (!base || !api) return { status: 404, title: "Not Found", detail: `nothing at ${url}` };
  const type = headers["content-type"];
  if (text && !type?.startsWith("application/json"))
    return { status: 415, title: "Unsupported Media Type", detail: `expected application/json, got ${type}` };
  const account: Account = JSON.parse(readFileSync(settings.state, "utf8"));
  const outcome = api({ method, path: url.slice(base.length), body: parsed(text), refuseEvents }, account);
  if (method !== "GET") writeFileSync(settings.state, JSON.stringify(account));
  return outcome;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Version 2 describes the status as a text. */
const problemReply = ({ status, ...rest }: Problem, url = ""): Reply => {
  const shown = url.startsWith("/chat-api/v2") ? String(status) : status;
  const document = problem.parse({ type: "about:blank", status: shown, ...rest });
  return { status, body: JSON.stringify(document), type: "application/problem+json" };
};

/** Before the answer leaves, so that whoever has it finds its request here. */
const log = ({ method, url }: IncomingMessage, body: string, status: number | "cut"): void =>
  appendFileSync(settings.log, `${JSON.stringify({ time: new Date().toISOString(), method, url, body, status })}\n`);

const pem = readFileSync(settings.pem);
createServer({ cert: pem, key: pem }, (request, response) => void serve(request, response)).listen(
  settings.port,
  settings.address,
);

if (existsSync(settings.controlSocket)) rmSync(settings.controlSocket);
createControlServer(async (request, response) => {
  failure = (await json(request)) as Failure;
  response.writeHead(204).end();
}).listen(settings.controlSocket);
