import { parseArgs } from "node:util";
import { execa } from "execa";
import { releaseNamed } from "./hosts/release.ts";
import { downLab, openLab, upLab } from "./lab.ts";
import { labStack } from "./stack.ts";

const usage = `npm run lab -- up | down | status | shell HOST   [--name NAME] [--release RELEASE]  |  pulumi …

  up      boot the lab's hosts, or what is missing of them
  status  which hosts are up, and how to reach them
  shell   log in on a host as the stack does
  pulumi  run pulumi on the lab's dev stack, e.g. npm run lab -- pulumi preview --diff
  down    remove everything: hosts, network, files, local state of the stack

A lab is called "dev" unless --name says otherwise. Its hosts are Debian 12, bookworm, unless "up" has --release trixie (13) or
bullseye (11).`;

const requireLab = async (name: string) => {
  const lab = await openLab(name);
  if (!lab) throw new Error(`lab: there is no lab "${name}".  Run: npm run lab -- up`);
  return lab;
};

const up = async (name: string, release?: string): Promise<void> => {
  const begin = Date.now();
  const options = release ? { release: releaseNamed(release) } : {};
  await upLab(name, { ...options, progress: (line) => console.log(`lab: ${line}`) });
  console.log(`lab: up after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  await status(name);
};

const status = async (name: string): Promise<void> => {
  const { hosts, tyntec, share, agentSocket } = await requireLab(name);
  for (const { name, address, exec } of Object.values(hosts)) {
    const { exitCode, stdout } = await exec("systemctl is-system-running");
    console.log(`  ${name.padEnd(12)} ${address.padEnd(14)} ${exitCode === 255 ? "off" : stdout}`);
  }
  console.log(`  TynTec       ${tyntec.url}\n  share        ${share}\n  SSH_AUTH_SOCK=${agentSocket}`);
};

const shell = async (name: string, hostName: string): Promise<void> => {
  const { hosts, agentSocket, user } = await requireLab(name);
  const host = hosts[hostName];
  if (!host) throw new Error(`lab: no host "${hostName}"; there are ${Object.keys(hosts).join(", ")}`);
  const options = ["-F", "none", "-o", `IdentityAgent=${agentSocket}`, "-o", "StrictHostKeyChecking=yes"];
  const known = ["-o", `KnownHostsCommand=/bin/echo %H ${host.hostKey}`, "-o", "UserKnownHostsFile=none"];
  const { exitCode } = await execa("ssh", [...options, ...known, `${user}@${host.address}`], {
    stdio: "inherit",
    reject: false,
  });
  process.exitCode = exitCode ?? 1;
};

const pulumi = async (name: string, argv: string[]): Promise<void> => {
  const stack = await labStack(await requireLab(name));
  process.exitCode = (await stack.pulumi(argv, { show: true })).exitCode;
};

const main = async (): Promise<void> => {
  // What follows `pulumi` is pulumi's, options included.
  const own = process.argv.slice(2);
  if (own[0] === "pulumi") return pulumi("dev", own.slice(1));
  const { values, positionals } = parseArgs({
    options: { name: { type: "string", default: "dev" }, release: { type: "string" } },
    allowPositionals: true,
  });
  const [command, host] = positionals;
  if (command === "up") return up(values.name, values.release);
  if (command === "down") return downLab(values.name);
  if (command === "status") return status(values.name);
  if (command === "shell" && host) return shell(values.name, host);
  console.error(usage);
  process.exitCode = 2;
};

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
