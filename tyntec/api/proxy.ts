/**
 * Host and port of the proxy that a request to `url` goes through, e.g. `proxy.acme.example:3128`; undefined without one. Never
 * its user and password.
 */
export const proxyOf = (url: string): string | undefined => {
  const { https_proxy, HTTPS_PROXY, http_proxy, HTTP_PROXY, no_proxy, NO_PROXY } = process.env;
  const proxy = (https_proxy ?? HTTPS_PROXY) || (http_proxy ?? HTTP_PROXY);
  if (!proxy || isExcepted(new URL(url), no_proxy ?? NO_PROXY ?? "")) return undefined;
  return URL.parse(proxy)?.host || "no URL";
};

/** Whether a list as `localhost,.acme.example,10.1.0.9:8443` names the URL's host. */
const isExcepted = ({ hostname, port }: URL, list: string): boolean =>
  list.split(/[,\s]+/).some((entry) => {
    const [, name = "", only] = entry.match(/^(.*?)(?::(\d+))?$/) ?? [];
    if (only && only !== (port || "443")) return false;
    const domain = name.replace(/^\*?\./, "").toLowerCase();
    return domain === "*" || (domain !== "" && (hostname === domain || hostname.endsWith(`.${domain}`)));
  });
