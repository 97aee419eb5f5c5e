import { loadDeployment } from "../../config/load.ts";
import { chatRole, sshHost } from "../../topologies/chat-role.ts";

/** One chat server, without load balancer and TynTec. */
const deployment = { ...loadDeployment(), whatsapp: undefined, tyntec: undefined };

chatRole(deployment, {
  chatServers: deployment.chatServers.slice(0, 1).map((host) => sshHost(deployment, host)),
  loadBalancers: [],
  needs: { memory: 8, additional: false },
});
