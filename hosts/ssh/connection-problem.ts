import { printable } from "../printable.ts";
import type { SshResult, SshTarget } from "./ssh.ts";

/** Why a host gave no answer, and what to do. `granted`: what sudo has to let the account run. */
export const connectionProblem = (
  { address, port, user, jump }: SshTarget,
  { exitCode, stdout, stderr, ended }: SshResult,
  granted = "ALL",
): string => {
  if (ended)
    return `it ${ended}, and was cut off. Look at what it says and runs: ssh ${user}@${address}, then ps -ef, journalctl --since -10min`;
  if (exitCode === 0)
    return `it answered, but not as jtel-chatctl does ('${printable(stdout.trim().slice(0, 200)) || "nothing"}'). Does its login script print that, or run another command?`;
  if (jump && /UNKNOWN port 65535/.test(stderr))
    return `${connectionProblem(jump, { exitCode, stdout, stderr: stderr.replaceAll(/^.*UNKNOWN port 65535.*$/gm, "") })}. That is the jump host ${jump.address}`;
  const said = printable(stderr.trim().split("\n").slice(-3).join("\n"));
  const remedies: [RegExp, string][] = [
    [
      /host key verification failed|host identification has changed|host key is known/i,
      "its host key is not the pinned one. Compare hostKey with the host's /etc/ssh/ssh_host_*_key.pub, from its console; a rebuilt host has a new one",
    ],
    [
      /no matching host key type/i,
      "it has no host key of the type that is pinned. Take hostKey from another /etc/ssh/ssh_host_*_key.pub of the host, from its console",
    ],
    [
      /too many authentication failures/i,
      `the ssh agent offers more keys than it lets ${user} try. Load the one that it knows into an agent of its own (ssh-agent -a ~/.ssh/acme-agent), and name that: ssh.agentSocket`,
    ],
    [
      /permission denied|authentication fail|no supported authentication/i,
      `it refuses the login as ${user}. Load your key into the ssh agent (ssh-add -l shows it), and check that the host knows it`,
    ],
    [
      /sudo:.*password is required|not allowed to execute|not in the sudoers|may not run sudo/i,
      `${user} may not run sudo without a password there. Add '${user} ALL=(root) NOPASSWD: ${granted}' to /etc/sudoers.d`,
    ],
    [
      /jtel-chatctl: command not found/i,
      "jtel-chatctl is not installed there, or sudo does not find it. pulumi up installs it",
    ],
    [
      /(?:restricted|sh: command not found)/i,
      `the login shell of ${user} there does not run sh. Give the account a usual one: chsh -s /bin/sh ${user}`,
    ],
    [/the look was ended/i, "it does not get to the end of a look. Look at what its programs wait for"],
    [/python3: (command )?not found|sudo: python3/i, "python3 is missing there. Install it: apt install python3"],
    [/could not resolve/i, `its address ${address} does not resolve. Correct 'address', or use the IP address`],
    [
      /timed out|refused|unreachable|no route|connection closed|reset by/i,
      `not reachable on ${address}, port ${port}. Is it up, and does its firewall let ssh in from here?`,
    ],
  ];
  const remedy = remedies.find(([pattern]) => pattern.test(stderr))?.[1];
  return `${remedy ?? `looking at it failed with exit code ${exitCode}. Run the command yourself: ssh ${user}@${address}`} (${said || "it said nothing"})`;
};
