import type { Deployment } from "../config/schema.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/** Runs chat on servers of its own, behind the platform's load balancers. */
export const separateServer = (deployment: Deployment): void =>
  chatRole(deployment, {
    chatServers: deployment.chatServers.map((host) => sshHost(deployment, host)),
    loadBalancers: deployment.loadBalancers.map((host) => sshHost(deployment, host)),
    needs: { memory: 8, cores: 2, disk: 32, additional: false },
  });
