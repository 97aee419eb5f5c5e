import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/** Runs chat on servers of its own, behind the platform's load balancers. */
export const separateServer = (deployment: Deployment, look: Look): void =>
  chatRole(deployment, look, {
    chatServers: deployment.chatServers.map((host) => sshHost(deployment, look, host)),
    loadBalancers: deployment.loadBalancers.map((host) => sshHost(deployment, look, host)),
    needs: { memory: 8, cores: 2, disk: 32, additional: false },
  });
