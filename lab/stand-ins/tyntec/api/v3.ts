import type { Account } from "../account.ts";
import { violationsOf } from "../contract/problem.ts";
import { callback, channels, configuration } from "../contract/v3.ts";
import { type Api, invalid, notAllowed, notFound, type Outcome, type Problem } from "./api.ts";

/** Version 3: `GET /configurations`, `PUT /configurations/callbacks` and `GET /configurations/channels/whatsapp`. */
export const version3: Api = ({ method, path, body }, account) => {
  if (path === "/configurations") return method === "GET" ? configurationOf(account) : notAllowed(method);
  if (path === "/configurations/channels/whatsapp") return method === "GET" ? channelsOf(account) : notAllowed(method);
  if (path !== "/configurations/callbacks") return notFound(path);
  if (method !== "PUT") return notAllowed(method);
  if (!account.scopes.includes("callbacks:write")) return lacks("callbacks:write");
  const complete = callback.safeParse(body);
  if (!complete.success) return invalid(violationsOf(complete.error));
  account.callback = complete.data;
  return configurationOf(account);
};

/** The description does not say what somebody without the scope sees. That nothing is shown is the worst case. */
const configurationOf = ({ scopes, callback: present, config }: Account): Outcome => ({
  status: 200,
  value: configuration.parse({ scopes, ...(scopes.includes("callbacks:read") && { callback: present }), config }),
});

const channelsOf = (account: Account): Outcome =>
  account.scopes.includes("channels:read")
    ? { status: 200, value: channels.parse(account.channels) }
    : lacks("channels:read");

const lacks = (scope: string): Problem => ({ status: 403, title: "Forbidden", detail: `scope ${scope} is needed` });
