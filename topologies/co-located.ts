import type { Deployment } from "../config/schema.ts";
import type { Look } from "../hosts/look/look.ts";
import { chatRole, sshHost } from "./chat-role.ts";

/**
 * Runs chat on the platform's web servers, which the stack file lists as `chatServers`.
 *
 * The web server's own Hazelcast member holds port 5701, so ClientMessenger's member takes the next free port. The two find
 * each other because hazelcast.xml lists members without a port: Hazelcast then tries several.
 */
export const coLocated = (deployment: Deployment, look: Look): void =>
  chatRole(deployment, look, {
    chatServers: deployment.chatServers.map((host) => sshHost(deployment, look, host)),
    loadBalancers: deployment.loadBalancers.map((host) => sshHost(deployment, look, host)),
    needs: { memory: 4, additional: true },
  });
