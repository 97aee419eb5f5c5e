import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newWay } from "../../tyntec/address.ts";
import { proxyOf } from "../../tyntec/api/proxy.ts";
import type { CallbacksDocument } from "../../tyntec/document.ts";
import type { Recorded } from "../../tyntec/recorded.ts";

const v2 = "https://api.tyntec.com/chat-api/v2";
const v3 = "https://api.tyntec.com/conversations/v3";
const document = (url: string, caFile?: string): CallbacksDocument => ({ url, caFile, callback: {} });
const recorded = (url: string, { caFile, proxy }: { caFile?: string; proxy?: string } = {}): Recorded => ({
  ...{ document: document(url, caFile), create: "", proxy },
});

const proxy = "http://me:s3cret@proxy.acme.example:3128";

beforeEach(() => {
  for (const name of ["http_proxy", "https_proxy", "no_proxy"])
    for (const each of [name, name.toUpperCase()]) vi.stubEnv(each, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the way to the API", () => {
  test("is not new before the first up, on another path of the same server, and where nothing has changed", () => {
    expect(newWay(document("https://evil.example/v2"), [])).toEqual([]);
    expect(newWay(document(v3), [recorded(v2, { proxy: "" })])).toEqual([]);
    expect(newWay(document(v2, "/ca.pem"), [recorded(v2, { caFile: "/ca.pem" })])).toEqual([]);
  });

  test("is new to another server, port or authority, and both are named", () => {
    expect(newWay(document("https://evil.example/chat-api/v2"), [recorded(v2)])).toEqual([
      "tyntec.url leads to https://evil.example, and was https://api.tyntec.com",
    ]);
    expect(newWay(document("https://api.tyntec.com:444/"), [recorded(v2)])).toHaveLength(1);
    expect(newWay(document(v2, "/evil.pem"), [recorded(v2)])).toEqual(["tyntec.caFile is /evil.pem, and was none"]);
    expect(newWay(document(v2), [recorded(v2, { caFile: "/ca.pem" })])).toEqual([
      "tyntec.caFile is none, and was /ca.pem",
    ]);
  });

  test("is new through another proxy, without its password, unless none was noted", () => {
    vi.stubEnv("HTTPS_PROXY", proxy);
    expect(newWay(document(v2), [recorded(v2, { proxy: "" })])).toEqual([
      "the proxy is proxy.acme.example:3128, and was none",
    ]);
    expect(newWay(document(v2), [recorded(v2, { proxy: "proxy.acme.example:3128" })])).toEqual([]);
    expect(newWay(document(v2), [recorded(v2)])).toEqual([]);
    vi.stubEnv("NO_PROXY", ".tyntec.com");
    expect(newWay(document(v2), [recorded(v2, { proxy: "proxy.acme.example:3128" })])).toEqual([
      "the proxy is none, and was proxy.acme.example:3128",
    ]);
  });

  test("is known where either version's resource has gone it", () => {
    const both = [recorded("https://gate.example/v2"), recorded(v3)];
    expect(newWay(document(v3), both)).toEqual([]);
    expect(newWay(document("https://gate.example/v3"), both)).toEqual([]);
    expect(newWay(document("https://evil.example/v3"), both)).toHaveLength(1);
  });
});

describe("NO_PROXY", () => {
  test.each([
    ["", false],
    ["*", true],
    ["api.tyntec.com", true],
    ["localhost, tyntec.com", true],
    [".tyntec.com", true],
    ["*.tyntec.com", true],
    ["TYNTEC.com:443", true],
    ["tyntec.com:8443", false],
    ["ntec.com", false],
    ["tyntec.com.example", false],
  ])("%j: %s", (list, excepted) => {
    vi.stubEnv("HTTPS_PROXY", proxy);
    vi.stubEnv("NO_PROXY", list);
    expect(proxyOf(v2)).toBe(excepted ? undefined : "proxy.acme.example:3128");
  });
});
