import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { dump, load as parseYaml } from "js-yaml";
import { javaOf } from "./hosts/release.ts";
import type { Lab } from "./lab.ts";

const checkout = fileURLToPath(new URL("..", import.meta.url));

/** A finished `pulumi`. */
export interface PulumiResult {
  exitCode: number;
  /** What a person saw: standard output and error as they came. */
  output: string;
}

/** The dev stack on a lab's hosts: an own copy of its file, an own backend, an own passphrase – all below the lab's directory. */
export interface Stack {
  /** The copy of Pulumi.dev.yaml with the lab's addresses, host keys and secrets. */
  file: string;
  environment: Record<string, string>;
  /** Run pulumi; with `show` its output also goes to the terminal, as it comes. */
  pulumi: (argv: string[], options?: PulumiOptions) => Promise<PulumiResult>;
}

export interface PulumiOptions {
  show?: boolean;
  environment?: Record<string, string>;
  /** Its standard input. */
  input?: string;
  /** Is handed the process once it runs, to send it a signal. */
  running?: (pulumi: { kill: (signal: NodeJS.Signals) => boolean }) => void;
}

type Config = Record<string, unknown>;

/**
 * The dev stack of a lab; made when it is not there yet.
 *
 * @param change What a test wants to be different in the stack file: gets the values below `jtel-chat:`.
 */
export const labStack = async (lab: Lab, change: (config: Config) => void = () => {}): Promise<Stack> => {
  const directory = join(lab.directory, "stack");
  const stack = describe(lab, directory);
  if (!existsSync(stack.file)) await create(lab, directory, stack);
  await updateFile(lab, stack.file, change);
  return stack;
};

/** The stack file as it was made first, with all secrets: a test may leave out some of them that the next one needs. */
const secretsOf = (file: string): string => join(dirname(file), "Pulumi.secrets.yaml");

const describe = (lab: Lab, directory: string): Stack => {
  const file = join(directory, "Pulumi.dev.yaml");
  const environment = {
    PULUMI_BACKEND_URL: `file://${directory}/state`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(directory, "passphrase"),
    JTEL_CHAT_STACK_FILE: file,
    SSH_AUTH_SOCK: lab.agentSocket,
  };
  const pulumi: Stack["pulumi"] = (argv, options = {}) =>
    run([...argv, ...stackOptions(argv, file)], { ...environment, ...options.environment }, options);
  return { file, environment, pulumi };
};

/** These commands of pulumi know no stack file. */
const withoutStackFile = ["cancel", "stack", "state"];

const stackOptions = ([command = ""]: string[], file: string): string[] =>
  withoutStackFile.includes(command) ? ["--stack", "dev"] : ["--stack", "dev", "--config-file", file];

const create = async (lab: Lab, directory: string, { file, environment }: Stack): Promise<void> => {
  await mkdir(join(directory, "state"), { recursive: true });
  await writeFile(join(directory, "passphrase"), randomBytes(24).toString("base64"), { mode: 0o600 });
  // `stack init` writes a salt into the stack file beside Pulumi.yaml: into ours, not into the committed one.
  await copyFile(join(checkout, "Pulumi.yaml"), join(directory, "Pulumi.yaml"));
  await checked(["-C", directory, "stack", "init", "dev"], environment);
  await updateFile(lab, file, () => {});
  const secrets = {
    "jtel-chat:database.password": lab.database.password,
    "jtel-chat:tyntec.apiKey": lab.tyntec.apiKey,
    "jtel-chat:approval.key": randomBytes(32).toString("hex"),
  };
  for (const [key, value] of Object.entries(secrets)) {
    const argv = ["config", "set", "--secret", "--path", key, "--stack", "dev", "--config-file", file];
    await checked(argv, environment, value);
  }
  await copyFile(file, secretsOf(file));
};

/** Pulumi.dev.yaml with what only the lab knows; secrets and the salt of the copy stay. */
const updateFile = async (lab: Lab, file: string, change: (config: Config) => void): Promise<void> => {
  const committed = await readYaml(join(checkout, "Pulumi.dev.yaml"));
  const made = [secretsOf(file), file].find((each) => existsSync(each));
  const { config: present = {}, ...rest } = made ? await readYaml(made) : {};
  const before = withoutPrefix(present);
  const config = withoutPrefix(committed.config ?? {});
  const reached = (list: unknown) => stackHosts(lab, ...(list as { name: string }[]).map((host) => host.name));
  config.loadBalancers = reached(config.loadBalancers);
  config.chatServers = reached(config.chatServers);
  config.java = javaOf(lab.release);
  config.database = { ...(config.database as object), ...secret(before, "database", "password") };
  config.tyntec = { url: lab.tyntec.url, caFile: lab.caFile, ...secret(before, "tyntec", "apiKey") };
  config.approval = secret(before, "approval", "key");
  change(config);
  const prefixed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`jtel-chat:${key}`, value]));
  await writeFile(file, dump({ ...rest, config: prefixed }, { lineWidth: -1 }));
};

/** Hosts of the lab as a stack file lists them. */
export const stackHosts = (lab: Lab, ...names: string[]) =>
  names.map((name) => ({ name, address: lab.hosts[name]?.address, hostKey: lab.hosts[name]?.hostKey }));

const readYaml = async (file: string) => parseYaml(await readFile(file, "utf8")) as { config?: Config };

const withoutPrefix = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace("jtel-chat:", ""), value]));

const secret = (config: Config, key: string, field: string): object => {
  const value = (config[key] as Config | undefined)?.[field];
  return value === undefined ? {} : { [field]: value };
};

const checked = async (argv: string[], environment: Record<string, string>, input = ""): Promise<void> => {
  const { exitCode, output } = await run(argv, environment, { input });
  if (exitCode) throw new Error(`pulumi ${argv.join(" ")} failed with exit code ${exitCode}:\n${output}`);
};

const run = async (
  argv: string[],
  env: Record<string, string>,
  { show = false, running, input = "" }: PulumiOptions,
): Promise<PulumiResult> => {
  const pulumi = execa("pulumi", [...argv, "--non-interactive", "--color", "never"], {
    cwd: checkout,
    env,
    all: true,
    reject: false,
    input,
    ...(show && { stdout: ["inherit", "pipe"], stderr: ["inherit", "pipe"] }),
  });
  running?.(pulumi);
  const { exitCode, all } = await pulumi;
  return { exitCode: exitCode ?? 1, output: String(all) };
};
