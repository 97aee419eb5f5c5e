import { answerText } from "../hosts/look/answer.ts";
import { posix } from "../hosts/posix.ts";
import { printable } from "../hosts/printable.ts";
import { connectionProblem } from "../hosts/ssh/connection-problem.ts";
import { keyFingerprint, knownKey, offeredKey } from "../hosts/ssh/host-keys.ts";
import { type SshTarget, ssh } from "../hosts/ssh/ssh.ts";
import { asksForTool, withTool } from "../hosts/tool-text.ts";
import { type HostFacts, hostFacts } from "./found.ts";
import type { Entry } from "./inventory.ts";

/** What came of one host of an inventory. */
export interface Surveyed {
  entry: Entry;
  /** The key that it has proved to have. */
  hostKey?: string;
  /** The host that ssh goes through, with its key. */
  jump?: NonNullable<SshTarget["jump"]>;
  /** A key that nobody has vouched for yet: the host was not looked at. */
  offered?: { hostKey: string; fingerprint: string };
  facts?: HostFacts;
  /** Why nothing is known of it, and what to do. */
  problem?: string;
}

/** How a host is reached; a test has others. */
export interface Reach {
  ssh: typeof ssh;
  knownKey: typeof knownKey;
  offeredKey: typeof offeredKey;
}

const system: Reach = { ssh, knownKey, offeredKey };

/** Sent to every host: sudo where the account may use it without a password, else with its own rights. */
const command = posix(asksForTool("$(sudo -n true 2>/dev/null && echo sudo -n)"));

/**
 * Looks at a host over one ssh connection, before anything is managed there: reads only, installs nothing.
 *
 * Without a key in the inventory or in known_hosts it only says which one the host offers.
 */
export const surveyHost = async (entry: Entry, reach: Reach = system): Promise<Surveyed> => {
  const hostKey = entry.hostKey ?? (await reach.knownKey(entry));
  const jumpHostKey = entry.jumpHostKey ?? (entry.jump && (await reach.knownKey(entry.jump)));
  if (entry.jump && !(hostKey && jumpHostKey)) return { entry, problem: keyBehindJump(entry, hostKey) };
  if (!hostKey) return unknown(entry, await reach.offeredKey(entry));
  const { address, port, user } = entry;
  const jump = entry.jump && { ...entry.jump, hostKey: jumpHostKey ?? "" };
  const target = { address, port, user, hostKey, jump };
  const result = await reach.ssh(target, command, withTool("{}\n", "survey", false));
  const text = answerText(result.stdout);
  if (!text || result.ended) return { entry, problem: connectionProblem(target, result) };
  const { facts, problem } = parsed(text);
  return facts ? { entry, hostKey, ...(jump && { jump }), facts } : { entry, problem };
};

/** Nobody can ask a host behind another one for its key before a login. */
const keyBehindJump = ({ jump }: Entry, hostKey: string | undefined): string => {
  const [what, key] = hostKey
    ? [`the key of its jump host ${jump?.address}`, "jumpHostKey"]
    : ["its host key", "hostKey"];
  return `${what} is unknown, so it was not looked at, and where there is a jump host none is asked for. Read it on that host's console, cat /etc/ssh/ssh_host_ed25519_key.pub, and put it into the inventory (${key}) or known_hosts`;
};

const unknown = (entry: Entry, offered: string | undefined): Surveyed => {
  const { address, port } = entry;
  if (!offered)
    return { entry, problem: `no ssh server answers on ${address}, port ${port}. Is it up, and is that its address?` };
  const fingerprint = keyFingerprint(offered);
  const compare = `ssh-keygen -lf /etc/ssh/ssh_host_${offered.startsWith("ssh-ed25519") ? "ed25519" : offered.startsWith("ssh-rsa") ? "rsa" : "ecdsa"}_key.pub`;
  return {
    entry,
    offered: { hostKey: offered, fingerprint },
    problem: `its host key is unknown (${fingerprint}), so it was not looked at. Compare that on its console: ${compare}. If it is the same, put it into the inventory: hostKey: ${offered}`,
  };
};

const parsed = (text: string): { facts?: HostFacts; problem: string } => {
  try {
    const found = hostFacts.safeParse(JSON.parse(text));
    if (found.success) return { facts: found.data, problem: "" };
    const [issue] = found.error.issues;
    return {
      problem: `its answer is none of jtel-chatctl (${printable(`${issue?.path.join(".")}: ${issue?.message}`)})`,
    };
  } catch {
    return { problem: "its answer is none of jtel-chatctl (it is no JSON)" };
  }
};
