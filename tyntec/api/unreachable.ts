import { printable } from "../../hosts/printable.ts";
import { proxyOf } from "./proxy.ts";
import { wrongAddress } from "./refusal.ts";

/** Where it was tried. */
export interface Tried {
  url: string;
  caFile?: string | undefined;
  /** Milliseconds that one answer may take. */
  attempt: number;
}

/** Why no answer came, and what to do, in one line. */
export const unreachable = ({ url, caFile, attempt }: Tried, error: NodeJS.ErrnoException): string => {
  const { name, code = "", message } = error;
  const said = printable(message || code || String(error));
  if (name === "TimeoutError") return notReachable(url, `no complete answer within ${attempt / 1000} s`);
  if (caFile && error.path === caFile)
    return `tyntec.caFile cannot be read (${said}). Correct the path, or remove the key`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL|^ERR_OSSL/.test(code))
    return `its certificate is not accepted (${said}). Where the API, or a proxy before it, has an authority of its own, name its PEM file in tyntec.caFile`;
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return `the answer is too long for the API's. ${wrongAddress}`;
  return notReachable(url, said);
};

const notReachable = (url: string, why: string): string => {
  const proxy = proxyOf(url);
  const remedy = proxy
    ? ` A proxy is set (HTTPS_PROXY, ${proxy}): is it right, or does the API belong into NO_PROXY?`
    : "";
  return `${URL.parse(url)?.host} is not reachable (${why}). Is tyntec.url right, and may this machine reach it?${remedy}`;
};
