import { haproxyInPython } from "../../../lab/clients/haproxy.ts";
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

const program = (addresses: Record<string, string>): string => `${haproxyInPython}
import json, os, time

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
        up = [name for name, row in servers().items() if row["status"].startswith("UP")]
    except (OSError, ValueError):  # HAProxy reloads
        time.sleep(0.1)
        continue
    count, now = sum(takes(addresses[name]) for name in up), time.monotonic()
    looks, least, last, without = looks + 1, min(least, count), now, without + (0 if count else now - last)
    time.sleep(0.2)
print(json.dumps({"looks": looks, "least": least, "without": round(without, 1)}))
`;
