import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { apply, lb1, observe, startChat, stopChat, workers } from "./customer.ts";

/** What an apply makes true. */
export const isConfigured = (): void => {
  describe("that is configured", () => {
    test("is proven by requests: a WebSocket, the portal, WhatsApp's paths", async () => {
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3003");
      expect(stdout).toContain("/incoming and /delivery on :443 reach backend_chat_ws");
      expect(await observe()).toMatchObject({ drifted: false, problems: [], warnings: [] });
    });

    test("is not reloaded by a second apply", async () => {
      await apply();
      const before = await workers();
      expect((await apply()).stdout).toBe("a WebSocket opens through :3003");
      expect(await workers()).toBe(before);
    });

    test("may be there before chat is: HAProxy's own 503 is said, and is no failure", async () => {
      await stopChat();
      const { exitCode, stdout, stderr } = await apply();
      startChat();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain(":3003 answers; no chat server is up yet, so with HAProxy's own 503");
    });

    test("keeps an open chat over a reload, and its old worker is no obstacle to the next", async () => {
      await apply();
      const chat = new WebSocket(`wss://${lb1().address}:3003/`, { rejectUnauthorized: false });
      await once(chat, "open");
      for (const balance of ["roundrobin", "first"]) expect((await apply({ options: { balance } })).exitCode).toBe(0);
      expect((await workers()).split(" ").length).toBeGreaterThan(1);
      chat.ping();
      await once(chat, "pong");
      chat.close();
    });

    test("may get another scheme and port: what was ours before need not answer any more", async () => {
      await apply();
      const { exitCode, stdout, stderr } = await apply({ scheme: "http", port: 3000 });
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3000");
    });

    test("takes every option of the stack file", async () => {
      const options = {
        weights: { chatserver1: 3 },
        check: { inter: "1m", shutdownSessions: true },
        timeout: { connect: "3s" },
        alpn: ["h2", "http/1.1"],
        binds: ["[::]:3003 v6only", "127.0.0.1:3005"],
        acceptProxy: true,
        redirectFrom: 3000,
        maxconn: 500,
      };
      const { exitCode, stdout, stderr } = await apply({ options });
      expect(exitCode, stderr).toBe(0);
      for (const bind of [":3003", "[::]:3003", "127.0.0.1:3005"])
        expect(stdout).toContain(`a WebSocket opens through ${bind}`);
      expect(stdout).toContain(":3000 redirects");
    });
  });
};
