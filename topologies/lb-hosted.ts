import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/** Chat on the load balancers themselves: every one runs HAProxy and ClientMessenger, and balances over all of them. */
export const lbHosted = (deployment: Deployment, look: Look): void => {
  const hosts = deployment.loadBalancers.map((host) => sshHost(deployment, look, host));
  chatRole(deployment, look, {
    chatServers: hosts,
    loadBalancers: hosts,
    needs: { memory: 4, cores: 2, disk: 32, additional: true },
  });
};
