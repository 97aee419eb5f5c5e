import { proxyOf } from "./api/proxy.ts";
import type { CallbacksDocument } from "./document.ts";
import type { Recorded } from "./recorded.ts";

/**
 * How the way to the API differs from the ways that the last runs have sent the key, as texts; none where one of them is the
 * same, or where no run has sent it yet. A server is told by its certificate, so only its name and port count, not the path.
 */
export const newWay = (document: CallbacksDocument, recorded: Recorded[]): string[] => {
  const ways = recorded.map((each) => differences(document, each));
  return ways.some((each) => !each.length) ? [] : (ways[0] ?? []);
};

const differences = ({ url, caFile }: CallbacksDocument, { document: before, proxy }: Recorded): string[] => {
  const pairs = [
    ["tyntec.url leads to", new URL(url).origin, new URL(before.url).origin],
    ["tyntec.caFile is", caFile, before.caFile],
    ["the proxy is", proxyOf(url), proxy === undefined ? proxyOf(url) : proxy],
  ];
  return pairs
    .filter(([, now, then]) => (now || "") !== (then || ""))
    .map(([what, now, then]) => `${what} ${now || "none"}, and was ${then || "none"}`);
};
