import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";

/** A proxy on loopback that tunnels (`CONNECT`, RFC 9110, section 9.3.6). */
export interface ConnectProxy {
  /** `http://127.0.0.1:41234` */
  url: string;
  /** Where it was asked to connect to: `127.0.0.1:8443`. */
  asked: string[];
  stop(): void;
}

/** @param status what it answers; 200 tunnels, anything else refuses */
export const startProxy = async (status = 200): Promise<ConnectProxy> => {
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", ({ url = "" }, client) => {
    asked.push(url);
    client.on("error", () => client.destroy());
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} Told to refuse\r\n\r\n`);
    const { hostname, port } = new URL(`tunnel://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connected\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, asked, stop };
};
