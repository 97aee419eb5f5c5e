import { loadDeployment } from "../../config/load.ts";
import { Look } from "../../hosts/look/look.ts";
import { observedHost } from "../../hosts/look/observed-host.ts";

/** One chat server, without load balancer and TynTec. */
const deployment = { ...loadDeployment(), whatsapp: undefined, tyntec: undefined };
const hosts = deployment.chatServers.slice(0, 1);

const look = new Look();
for (const host of hosts) look.logIn(observedHost(deployment, host));

const { chatRole, sshHost } = await import("../../topologies/chat-role.ts");

chatRole(deployment, look, {
  chatServers: hosts.map((host) => sshHost(deployment, look, host)),
  loadBalancers: [],
  needs: { memory: 8, additional: false },
});
await look.close();
