import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/**
 * Chat on the platform's web servers: `chatServers` are these.
 *
 * A web server's own Hazelcast member holds port 5701 there, so ClientMessenger's takes the next one; both find each other
 * through the members in hazelcast.xml, which are addresses without a port.
 */
export const coLocated = (deployment: Deployment, look: Look): void =>
  chatRole(deployment, look, {
    chatServers: deployment.chatServers.map((host) => sshHost(deployment, look, host)),
    loadBalancers: deployment.loadBalancers.map((host) => sshHost(deployment, look, host)),
    needs: { memory: 4, additional: true },
  });
