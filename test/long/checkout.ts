import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Lab } from "../../lab/lab.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** Where a platform team works: a checkout of its own, without a stack, with a backend and a passphrase. */
export interface Desk {
  directory: string;
  environment: Record<string, string>;
  /** Runs a command of the project, e.g. `node cli/survey.ts`; both streams as they came. */
  run: (program: string, argv: string[], input?: string) => Promise<{ exitCode: number; output: string }>;
}

/** A desk below a lab's directory, with the lab's agent: everything of this checkout by links, but no stack file. */
export const deskOf = async (lab: Lab): Promise<Desk> => {
  const directory = join(lab.directory, "desk");
  await mkdir(join(directory, "state"), { recursive: true });
  const names = (await readdir(checkout)).filter((name) => !/^(?:\.|Pulumi\.\w+\.yaml$)/.test(name));
  for (const name of names) await symlink(join(checkout, name), join(directory, name));
  await writeFile(join(directory, "passphrase"), "a passphrase of the team", { mode: 0o600 });
  const environment = {
    PULUMI_BACKEND_URL: `file://${directory}/state`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(directory, "passphrase"),
    SSH_AUTH_SOCK: lab.agentSocket,
  };
  const run: Desk["run"] = async (program, argv, input = "") => {
    const { exitCode, all } = await execa(program, argv, {
      ...{ cwd: directory, env: environment, all: true, reject: false, input },
    });
    return { exitCode: exitCode ?? 1, output: String(all) };
  };
  return { directory, environment, run };
};
