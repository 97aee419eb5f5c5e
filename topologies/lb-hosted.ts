import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/**
 * Runs chat on the load balancers: each runs HAProxy and ClientMessenger, and its HAProxy balances over all of them.
 */
export const lbHosted = (deployment: Deployment, look: Look): void => {
  const hosts = deployment.loadBalancers.map((host) => sshHost(deployment, look, host));
  chatRole(deployment, look, {
    chatServers: hosts,
    loadBalancers: hosts,
    needs: { memory: 4, cores: 2, disk: 32, additional: true },
  });
};
