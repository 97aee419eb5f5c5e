import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";

export interface Answer {
  status: number | undefined;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Where to connect instead of asking a name server. */
  address?: string;
  /** Certificate of the only authority to trust. @default those of Node */
  caFile?: string;
}

/** One request over TLS with the certificate checked against the URL's name. */
export const call = (
  url: string,
  { method = "GET", headers = {}, body, address, caFile }: Call = {},
): Promise<Answer> => {
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: address ?? hostname,
      port: port || 443,
      path: pathname + search,
      method,
      headers: { Host: hostname, ...headers },
      ...(address && { servername: hostname }),
      ...(caFile && { ca: readFileSync(caFile) }),
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", async (response) =>
      resolve({ status: response.statusCode, headers: response.headers, body: await text(response) }),
    );
    outgoing.end(body);
  });
};
