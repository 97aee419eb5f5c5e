/**
 * What visitors see of a chat server whose network goes away, and comes back: run on the hosts of `npm start`, prints the
 * figures. Explained in docs/reliability.md.
 *
 *     toolchain/exec node bench/vanishing.ts
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { haproxyInPython } from "../lab/clients/haproxy.ts";
import { type Lab, type LabHost, openLab } from "../lab/lab.ts";

/** Seconds that the server is away for; and how many chats are open, how often a new visitor comes. */
const [away, chats, every] = [Number(process.argv[2] ?? 90), 4, 1000];
const vanishing = "chatserver2";

const seconds = (since: number): number => Math.round((Date.now() - since) / 100) / 10;

/** Opens a chat, and gives the server that it leads to. */
const visitor = async (lab: Lab): Promise<{ socket: WebSocket; server: string }> => {
  const url = `wss://${lab.hosts.lb1?.address}:3003/?role=visitor&name=Grete`;
  const socket = new WebSocket(url, { rejectUnauthorized: false, handshakeTimeout: 30_000 });
  const [data] = await once(socket, "message");
  return { socket, server: JSON.parse(String(data)).server };
};

/** Waits on the load balancer until HAProxy calls the server so, and gives the seconds and its failed checks since. */
const seen = async (lb: LabHost, status: string): Promise<string> => {
  const script = `${haproxyInPython}
import time

begin, before = time.monotonic(), int(servers()["${vanishing}"]["chkfail"])
while not (found := servers()["${vanishing}"])["status"] == "${status}" and time.monotonic() < begin + 300:
    time.sleep(0.1)
print(f'{time.monotonic() - begin:.1f} s, {int(found["chkfail"]) - before} failed checks, {found["check_status"]}')
`;
  const { stdout, stderr } = await lb.exec("python3 -", { input: script });
  return stdout.trim() || stderr;
};

const lab = await openLab("dev");
if (!lab?.hosts.lb1 || !lab.hosts[vanishing]) throw new Error("bench: there is no lab. Run: npm start");
const server = lab.hosts[vanishing];

const open = await Promise.all(Array.from({ length: chats }, () => visitor(lab)));
const theirs = open.filter((each) => each.server === vanishing);
console.log(`${theirs.length} of ${chats} open chats are on ${vanishing}`);

const drop = (verb: string) =>
  server.exec(`iptables -${verb} INPUT ! -i lo -j DROP; iptables -${verb} OUTPUT ! -o lo -j DROP`);
await drop("I");
const begin = Date.now();
const closed = theirs.map(({ socket }) => once(socket, "close").then(() => seconds(begin)));
void seen(lab.hosts.lb1, "DOWN").then((said) => console.log(`DOWN after ${said}`));

const waited: number[] = [];
const visits: Promise<void>[] = [];
while (seconds(begin) < away) {
  const since = Date.now();
  const visit = visitor(lab).then(
    ({ socket }) => socket.close(),
    (error) => console.log(`a visitor after ${seconds(begin)} s: ${error.message}`),
  );
  visits.push(visit.then(() => void waited.push((Date.now() - since) / 1000)));
  await pause(every);
}
await Promise.all(visits);
const slow = waited.filter((each) => each > 1);
console.log(
  `${waited.length} new visitors; ${slow.length} waited more than 1 s, the slowest ${Math.max(...waited).toFixed(1)} s`,
);

const still = await Promise.race([Promise.all(closed), pause(0, undefined)]);
console.log(
  still ? `open chats there were closed after ${Math.max(...still)} s` : `open chats there: not closed in ${away} s`,
);
await drop("D");
console.log(`UP again after ${await seen(lab.hosts.lb1, "UP")}`);
for (const { socket } of open) socket.terminate();
