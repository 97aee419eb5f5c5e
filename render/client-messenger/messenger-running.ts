import { chatPort } from "../../config/ports.ts";
import { document } from "../document.ts";
import { hazelcastFile, unitName } from "./places.ts";

/** What a running ClientMessenger depends on. */
export interface Running {
  /** The steps whose result it reads at its start, each with its digest. */
  loads: { concern: string; digest: string }[];
  /** The chat servers by the name that a person knows; `later` ones are restarted after this one, on the new configuration. */
  peers: { address: string; name: string; later: boolean }[];
  /** With `hold` a process that is healthy on older files goes on. */
  restart: "hold" | "roll";
}

/** The running, healthy process, in one Hazelcast cluster with the others. */
export const messengerRunningDocument = ({ loads, peers, restart }: Running): string =>
  document({
    kind: "service",
    name: unitName,
    fields: {
      loads: loads.map(({ concern, digest }) => `${concern} ${digest}`),
      healthy: `ws://127.0.0.1:${chatPort}/`,
      within: "90",
      restart,
      cluster: hazelcastFile,
      "cluster-within": "30",
      "cluster-hosts": peers.map(({ address, name, later }) => `${address} ${name}${later ? " later" : ""}`),
    },
  });
