import { beforeAll, beforeEach } from "vitest";
import { applyCommand } from "../../../hosts/launcher.ts";
import { type SshResult, ssh } from "../../../hosts/ssh/ssh.ts";
import type { LabHost } from "../../../lab/lab.ts";
import { document } from "../../../render/document.ts";
import { bench } from "../bench.ts";

/** The host that is tested. */
const tool = bench({
  name: "firewall",
  on: "chatserver1",
  beside: ["chatserver2"],
});

export const { lab, host, run } = tool;
export const neighbour = (): LabHost => tool.hostNamed("chatserver2");

const ours = Buffer.from("jtel-chat").toString("hex");

type Fields = Record<string, string | string[]>;

export const firewall = (rules: string[], fields: Fields = {}): string =>
  document({ kind: "firewall", name: "ufw", fields: { rules, ...fields } });

export const launch = applyCommand("firewall", { generation: 1, reason: "trial" });

export const apply = (rules: string[], fields: Fields = {}) => tool.apply("firewall", firewall(rules, fields));

export const undo = () => tool.undo("firewall", "deploy");

export const look = (rules: string[], fields: Fields = {}) => tool.lookAt("firewall", firewall(rules, fields));

/** Over ssh, as the stack does it: each call is a connection of its own. */
export const overSsh = (command: string, input = ""): Promise<SshResult> =>
  ssh({ address: host().address, port: 22, user: "deploy", hostKey: host().hostKey }, command, input);

/** ufw's rules in their order, comments included: one line each, of both families. */
export const tuples = async (): Promise<string[]> =>
  (await run("grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules || true")).split("\n").filter(Boolean);

const isOurs = (tuple: string): boolean => tuple.endsWith(`comment=${ours}`);

export const foreign = async (): Promise<string[]> => (await tuples()).filter((tuple) => !isOurs(tuple));

export const count = async (pattern: RegExp): Promise<number> =>
  (await tuples()).filter((tuple) => isOurs(tuple) && pattern.test(tuple)).length;

export const seen = async (script: string): Promise<true | undefined> =>
  (await host().exec(script)).exitCode === 0 || undefined;

export const status = () => run("LC_ALL=C ufw status | head -1");

beforeAll(async () => {
  await tool.installRecovery();
  await run("tar -C / -cf /root/ufw.tar etc/ufw etc/default/ufw");
});

beforeEach(async () => {
  await host().exec("systemctl stop jtel-chat-firewall-trial.timer trial-member");
  await run("rm -rf /var/lib/jtel-chat /etc/ufw && tar -C / -xf /root/ufw.tar && ufw reload");
});
