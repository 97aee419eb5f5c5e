import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { serversOf } from "../../../lab/clients/haproxy.ts";
import { minutes } from "../../../lab/deadline.ts";
import { apply, lab, lb1, run } from "./customer.ts";

/** What HAProxy says of the chat server: its status, the checks that have failed while it was up, the last one's result. */
const chatServer = async (): Promise<Record<string, string>> => {
  const [only = {}] = Object.values(await serversOf(lb1()));
  return only;
};

/** Waits until HAProxy says so of the server. */
const says = (field: string, value: string) =>
  expect.poll(async () => (await chatServer())[field], { timeout: 15_000 }).toBe(value);

/** HAProxy's health of a server that has passed as many checks as count, `rise` + `fall` - 1; after a reload it has less. */
const healthy = "4";

/** A chat server whose network goes away: no packet is refused, and none is answered. */
export const noticesAVanishedServer = (): void => {
  describe("a chat server that vanishes", () => {
    test.each([
      { shutdownSessions: false, visitors: "whose chats go on when it is back" },
      { shutdownSessions: true, visitors: "who are told" },
    ])(
      "is down after three checks, with visitors $visitors",
      async ({ shutdownSessions }) => {
        const check = { inter: "400ms", fastinter: "200ms", downinter: "200ms", shutdownSessions };
        await apply({ options: { check, timeout: { connect: "500ms" } } });
        const rule = `OUTPUT -p tcp -d ${lab().controllerAddress} --dport 3000 -j DROP`;
        const chat = new WebSocket(`wss://${lb1().address}:3003/`, { rejectUnauthorized: false });
        try {
          await once(chat, "open");
          const ended = once(chat, "close");
          await says("check_health", healthy);
          await run(`iptables -I ${rule}`);
          await says("status", "DOWN");
          expect(await chatServer()).toMatchObject({
            chkfail: "3",
            check_status: expect.stringContaining("L4TOUT"), // an asterisk before it: the next check is on its way
          });
          if (shutdownSessions) await ended;
          expect(chat.readyState).toBe(shutdownSessions ? WebSocket.CLOSED : WebSocket.OPEN);
          await run(`iptables -D ${rule}`);
          await says("status", "UP");
          if (shutdownSessions) return;
          chat.ping();
          await once(chat, "pong");
        } finally {
          await lb1().exec(`iptables -D ${rule}`);
          chat.terminate();
        }
      },
      minutes,
    );
  });
};
