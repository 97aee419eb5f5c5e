import { loadDeployment } from "../../config/load.ts";
import { Look } from "../../hosts/look/look.ts";
import { chatRole, sshHost } from "../../topologies/chat-role.ts";

/** One chat server, without load balancer and TynTec. */
const deployment = { ...loadDeployment(), whatsapp: undefined, tyntec: undefined };

const look = new Look();
chatRole(deployment, look, {
  chatServers: deployment.chatServers.slice(0, 1).map((host) => sshHost(deployment, look, host)),
  loadBalancers: [],
  needs: { memory: 8, additional: false },
});
await look.close();
