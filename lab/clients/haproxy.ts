import type { LabHost } from "../hosts/host.ts";

/**
 * Python for a load balancer: `ask(command)` gives what the running HAProxy answers by its master socket, `servers()` what it says of
 * each chat server, by name: `{"chatserver1": {"status": "UP", "chkfail": "0", …}}`. While HAProxy reloads they raise OSError or
 * ValueError.
 */
export const haproxyInPython = `
import socket

def ask(command):
    with socket.socket(socket.AF_UNIX) as master:
        master.connect("/run/haproxy-master.sock")
        master.sendall(f"@1 {command}\\n".encode())
        master.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: master.recv(65536), b"")).decode()

def servers():
    names, *rows = (line.lstrip("# ").split(",") for line in ask("show stat backend_chat_ws 4 -1").split("\\n") if line)
    return {row["svname"]: row for row in (dict(zip(names, values)) for values in rows)}
`;

const said = async (host: LabHost, expression: string): Promise<string> =>
  (await host.exec("python3 -", { input: `${haproxyInPython}import json\nprint(${expression})` })).stdout;

/** Say something to a load balancer's running HAProxy, by its master socket, and give what it answers. */
export const askHaproxy = (host: LabHost, command: string): Promise<string> =>
  said(host, `ask(${JSON.stringify(command)})`);

/** What HAProxy says of each chat server, as `show stat` names it: `{ chatserver1: { status: "UP", chkfail: "0", … } }`. */
export const serversOf = async (host: LabHost): Promise<Record<string, Record<string, string>>> =>
  JSON.parse((await said(host, "json.dumps(servers())")) || "{}");

/** What HAProxy calls each chat server: `{ chatserver1: "UP", chatserver2: "DRAIN" }`; also `MAINT` and `DOWN`. */
export const serverStates = async (host: LabHost): Promise<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(await serversOf(host)).map(([name, { status = "" }]) => [name, status.split(" ")[0] ?? ""]),
  );
