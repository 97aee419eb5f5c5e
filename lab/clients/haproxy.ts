import type { LabHost } from "../hosts/host.ts";

/** Say something to a load balancer's running HAProxy, by its master socket, and give what it answers. */
export const askHaproxy = async (host: LabHost, command: string): Promise<string> => {
  const program = `import socket
master = socket.socket(socket.AF_UNIX)
master.connect("/run/haproxy-master.sock")
master.sendall(b"@1 ${command}\\n")
master.shutdown(socket.SHUT_WR)
print(b"".join(iter(lambda: master.recv(65536), b"")).decode())`;
  return (await host.exec("python3 -", { input: program })).stdout;
};

/** What HAProxy calls each chat server: `{ chatserver1: "UP", chatserver2: "DRAIN" }`; also `MAINT` and `DOWN`. */
export const serverStates = async (host: LabHost): Promise<Record<string, string>> => {
  const [names = [], ...rows] = (await askHaproxy(host, "show stat backend_chat_ws 4 -1"))
    .split("\n")
    .map((row) => row.split(","));
  const [name, status] = [names.indexOf("svname"), names.indexOf("status")];
  return Object.fromEntries(rows.flatMap((row) => (row[status] ? [[row[name], row[status].split(" ")[0]]] : [])));
};
