import { homedir } from "node:os";
import type { Deployment, HostConfig } from "./schema.ts";

/** Lists a stack's hosts. One that is a load balancer and a chat server is one. */
export const hostsOf = ({
  loadBalancers,
  chatServers,
}: Pick<Deployment, "loadBalancers" | "chatServers">): HostConfig[] => [
  ...new Map([...loadBalancers, ...chatServers].map((host) => [host.name, host])).values(),
];

/** The socket of the ssh agent that a stack names. `~/` is the home directory of who runs Pulumi: a stack file is a team's. */
export const agentSocketOf = ({ ssh: { agentSocket } }: Pick<Deployment, "ssh">): string | undefined =>
  agentSocket?.replace(/^~(?=\/)/, homedir());
