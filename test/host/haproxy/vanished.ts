import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { minutes } from "../../../lab/deadline.ts";
import { apply, lab, lb1, run } from "./customer.ts";

/** What HAProxy says of the chat server: its status, the checks that have failed while it was up, the last one's result. */
const chatServer = async (): Promise<Record<string, string>> => {
  const { stdout } = await lb1().exec("python3 -", {
    input: `import socket
with socket.socket(socket.AF_UNIX) as master:
    master.connect("/run/haproxy-master.sock")
    master.sendall(b"@1 show stat backend_chat_ws 4 -1\\n")
    master.shutdown(socket.SHUT_WR)
    print(b"".join(iter(lambda: master.recv(65536), b"")).decode())`,
  });
  const [names = [], values = []] = stdout
    .trim()
    .split("\n")
    .map((line) => line.replace("# ", "").split(","));
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
};

/** Waits until HAProxy calls the server so; a status that is about to change has a count, `UP 1/3`. */
const called = (status: string) =>
  expect.poll(async () => (await chatServer()).status, { timeout: 15_000 }).toBe(status);

/** A chat server whose network goes away: no packet is refused, and none is answered. */
export const noticesAVanishedServer = (): void => {
  describe("a chat server that vanishes", () => {
    test(
      "is down after three checks, and its visitors are told where the stack wants that",
      async () => {
        const quick = { inter: "400ms", fastinter: "200ms", downinter: "200ms" };
        for (const shutdownSessions of [false, true]) {
          await apply({ options: { check: { ...quick, shutdownSessions }, timeout: { connect: "500ms" } } });
          const chat = new WebSocket(`wss://${lb1().address}:3003/`, { rejectUnauthorized: false });
          await once(chat, "open");
          const ended = once(chat, "close");
          const rule = `OUTPUT -p tcp -d ${lab().controllerAddress} --dport 3000 -j DROP`;
          await run(`iptables -I ${rule}`);
          await called("DOWN");
          expect(await chatServer()).toMatchObject({ chkfail: "3", check_status: "L4TOUT" });
          if (shutdownSessions) await ended;
          expect(chat.readyState).toBe(shutdownSessions ? WebSocket.CLOSED : WebSocket.OPEN);
          await run(`iptables -D ${rule}`);
          await called("UP");
          if (shutdownSessions) continue;
          chat.ping();
          await once(chat, "pong"); // where it comes back, its chats go on
          chat.close();
          await ended;
        }
      },
      minutes,
    );
  });
};
