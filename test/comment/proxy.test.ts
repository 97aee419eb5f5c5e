import { afterEach, expect, test, vi } from "vitest";
import { fetchProxied } from "../../report/comment/service.ts";
import { startProxy } from "../connect-proxy.ts";

afterEach(() => vi.unstubAllEnvs());

test("services are asked through the proxy of the environment, but for those that NO_PROXY names", async () => {
  const proxy = await startProxy(502);
  vi.stubEnv("HTTPS_PROXY", proxy.url);
  vi.stubEnv("NO_PROXY", "127.0.0.1");
  try {
    await expect(fetchProxied("https://api.github.example/user", {})).rejects.toThrow();
    await expect(fetchProxied("https://127.0.0.1:1/user", {})).rejects.toThrow();
    expect(proxy.asked).toEqual(["api.github.example:443"]);
  } finally {
    proxy.stop();
  }
});
