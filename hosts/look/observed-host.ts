import { agentSocketOf } from "../../config/hosts.ts";
import type { Deployment, HostConfig } from "../../config/schema.ts";
import type { ObservedHost } from "./question.ts";
import { restartsClosed } from "./restart-policy.ts";

/** How a host is looked at: its entry in the stack file, with the stack's `ssh.user`, agent, `onDrift` and maintenance window. */
export const observedHost = (deployment: Deployment, host: HostConfig): HostConfig & ObservedHost => {
  const { ssh, onDrift } = deployment;
  const login = { user: ssh.user, agentSocket: agentSocketOf(deployment) };
  return { ...host, ...login, onDrift, closed: restartsClosed(deployment) };
};
