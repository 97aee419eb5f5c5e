import type { Deployment } from "./schema.ts";

type Tyntec = NonNullable<Deployment["tyntec"]>;

/** Base URLs of TynTec's API by its version (vendor page "WhatsApp"; TynTec's description of version 3). */
const providerUrls = { v2: "https://api.tyntec.com/chat-api/v2", v3: "https://api.tyntec.com/conversations/v3" };

/** The base URL of TynTec's API: `tyntec.url`, or the provider's own for `tyntec.apiVersion`. */
export const tyntecUrl = ({ url, apiVersion }: Tyntec): string => url ?? providerUrls[apiVersion];

/** Why `tyntec.url` is not for `tyntec.apiVersion`; undefined if it may be. */
export const tyntecUrlProblem = ({ url, apiVersion }: Tyntec): string | undefined => {
  const named = url?.match(/\/(v[23])$/)?.[1];
  if (!named || named === apiVersion) return undefined;
  return `"${url}" is version ${named.slice(1)} of the API, but tyntec.apiVersion is ${apiVersion}. Remove the key (${providerUrls[apiVersion]} is its default), or name the URL of that version`;
};
