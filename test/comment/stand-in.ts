import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One request and its answer. */
export interface Exchange {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  token: string;
  body: unknown;
  status: number;
  answer: unknown;
}

export interface Answer {
  status: number;
  answer?: unknown;
  headers?: Record<string, string>;
}

export type Request = Pick<Exchange, "method" | "path" | "query" | "token" | "body">;

/** A service on loopback that answers as it is told, and keeps every exchange. */
export const startStandIn = async (answerTo: (request: Request, base: string) => Answer) => {
  const exchanges: Exchange[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const text = (await incoming.toArray()).join("");
    const { pathname, searchParams } = new URL(incoming.url ?? "/", base());
    const { authorization, "private-token": privateToken } = incoming.headers;
    const request = {
      ...{ method: incoming.method ?? "", path: pathname, query: searchParams },
      ...{ token: String(privateToken ?? authorization ?? ""), body: text ? JSON.parse(text) : undefined },
    };
    const { status, answer, headers } = answerTo(request, base());
    exchanges.push({ ...request, status, answer });
    const body = typeof answer === "string" ? answer : JSON.stringify(answer);
    const type = typeof answer === "string" ? "text/html" : "application/json; charset=utf-8";
    outgoing.writeHead(status, { "content-type": type, ...headers }).end(answer === undefined ? undefined : body);
  });
  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise<unknown>((resolve) => server.close(resolve).closeAllConnections());
  return { base: base(), exchanges, stop };
};
