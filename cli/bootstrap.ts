/** `npm run bootstrap -- --stack STACK`: the accounts that a stack needs on its hosts. */
import { readFileSync } from "node:fs";
import { agentSocketOf, hostsOf } from "../config/hosts.ts";
import { offlineDeployment } from "../config/offline.ts";
import type { HostConfig } from "../config/schema.ts";
import { printable } from "../hosts/printable.ts";
import { runAsRoot } from "../hosts/run-as-root.ts";
import { ssh } from "../hosts/ssh/ssh.ts";
import {
  type Accounts,
  accountsScript,
  keyLines,
  sudoers,
  sudoersPath,
  withoutAccountsScript,
} from "../render/accounts.ts";
import { person } from "../survey/questions.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run bootstrap -- --stack STACK --as USER --key FILE.pub [--observer NAME --observer-key FILE.pub] [--undo] [--yes]

Sets up the account of ssh.user on every host of a stack, with sudo without a password (root's equal), and an observer's, who may
only compare hosts with what was applied (docs/security.md).  USER logs in with a key of the ssh agent; the password that sudo asks
for is asked once, and not shown.  Without --yes it only says what it would do.  --undo takes it back.
Exit code: 0 done, 1 a host has a problem; hosts behind it were not touched.`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: {
      ...{ stack: text, as: text, key: text, observer: { type: "string", default: "observer" }, "observer-key": text },
      ...{ undo: flag, yes: flag },
    } as const,
  });
  if (!values.stack || !values.as || !values.key) throw new Error(usage);
  const deployment = offlineDeployment(`Pulumi.${values.stack}.yaml`);
  const observer = values["observer-key"] && { user: values.observer, key: keyIn(values["observer-key"]) };
  const accounts: Accounts = {
    deploy: { user: deployment.ssh.user, key: keyIn(values.key) },
    ...(observer && { observer }),
  };
  const hosts = hostsOf(deployment);
  console.log(plan(hosts, accounts, values.undo ?? false));
  if (!values.yes) return console.log("Nothing was changed yet: repeat with --yes.");
  const password = (await person(process.stdin, process.stdout).askSecret(`sudo password of ${values.as}`)) ?? "";
  const script = values.undo ? withoutAccountsScript(accounts) : accountsScript(accounts);
  for (const host of hosts) {
    const target = { ...host, user: values.as, agentSocket: agentSocketOf(deployment) };
    const problem =
      (await runAsRoot(target, script, password)) ?? (values.undo ? undefined : await unusable(target, accounts));
    if (problem) throw new Error(`${host.name}: ${problem}`);
    console.log(`${host.name}: done`);
  }
};

/** A public key's file: its first two words. */
const keyIn = (file: string): string => {
  const [, key] =
    /^((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-\S+) [A-Za-z0-9+/]+=*)(?:\s|$)/.exec(readFileSync(file, "utf8")) ??
    [];
  if (!key) throw new Error(`${file} holds no public key. Name the .pub file, never the private one`);
  return key;
};

const plan = (hosts: HostConfig[], accounts: Accounts, undo: boolean): string =>
  [
    `${undo ? "Taken back" : "Set up"} on ${hosts.map(({ name }) => name).join(", ")}:`,
    ...keyLines(accounts).map(([user, line]) => `  ${user}, ~/.ssh/authorized_keys: ${line}`),
    ...sudoers(accounts).map((line) => `  ${sudoersPath}: ${line}`),
    `${accounts.deploy.user} is root's equal there: whoever has its key can do everything.`,
  ].join("\n");

/** Why the account that was set up cannot be used. */
const unusable = async (target: Parameters<typeof ssh>[0], { deploy }: Accounts): Promise<string | undefined> => {
  const { exitCode, stderr } = await ssh({ ...target, user: deploy.user }, "sudo -n true", "");
  return exitCode
    ? `${deploy.user} was set up, and cannot be used (${printable(stderr.trim().slice(-200))}). Does the agent have the key of --key?`
    : undefined;
};

if (import.meta.main) main().catch(failWith);
