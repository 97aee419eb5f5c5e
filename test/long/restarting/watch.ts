import type { LabHost } from "../../../lab/lab.ts";

/** What a load balancer has seen of the chat servers behind it. */
export interface Watched {
  /** How often it looked. */
  looks: number;
  /** The fewest servers at one moment that could take new chats. */
  least: number;
  /** Seconds in which none could. */
  without: number;
}

/**
 * Look several times a second how many chat servers could take new chats: HAProxy calls them up, without a drain, and their port
 * accepts a connection.
 *
 * @returns what ends it and gives what was seen.
 */
export const watch = (loadBalancer: LabHost, chatServers: LabHost[]): (() => Promise<Watched>) => {
  const addresses = Object.fromEntries(chatServers.map(({ name, address }) => [name, address]));
  const watching = loadBalancer.exec("python3 -", { input: program(addresses) });
  return async () => {
    await loadBalancer.exec("rm /run/watching");
    const { stdout, stderr } = await watching;
    if (!stdout) throw new Error(`${loadBalancer.name}: ${stderr}`);
    return JSON.parse(stdout);
  };
};

const program = (addresses: Record<string, string>): string => `
import json, os, socket, time

def called_up():
    master = socket.socket(socket.AF_UNIX)
    master.connect("/run/haproxy-master.sock")
    master.sendall(b"@1 show stat backend_chat_ws 4 -1\\n")
    master.shutdown(socket.SHUT_WR)
    lines = b"".join(iter(lambda: master.recv(65536), b"")).decode().splitlines()
    names = lines[0].lstrip("# ").split(",")
    rows = [dict(zip(names, line.split(","))) for line in lines[1:] if line]
    return [row["svname"] for row in rows if row["status"].startswith("UP")]

def takes(address):
    try:
        socket.create_connection((address, 3000), 1).close()
    except OSError:
        return False
    return True

addresses = ${JSON.stringify(addresses)}
open("/run/watching", "w").close()
looks, least, without, last = 0, len(addresses), 0.0, time.monotonic()
while os.path.exists("/run/watching"):
    try:
        up = called_up()
    except (OSError, IndexError):  # HAProxy reloads
        time.sleep(0.1)
        continue
    count, now = sum(takes(addresses[name]) for name in up), time.monotonic()
    looks, least, last, without = looks + 1, min(least, count), now, without + (0 if count else now - last)
    time.sleep(0.2)
print(json.dumps({"looks": looks, "least": least, "without": round(without, 1)}))
`;
