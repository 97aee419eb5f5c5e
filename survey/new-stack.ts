import { randomBytes } from "node:crypto";
import { copyFile, link, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { printable } from "../hosts/printable.ts";

/** A stack that is to be made. */
export interface NewStack {
  customer: string;
  /** Of its file, without secrets. */
  text: string;
  /** By their keys, e.g. `database.password`. */
  secrets: Record<string, string>;
  /** As `pulumi stack init --secrets-provider` takes it. @default a passphrase */
  secretsProvider?: string | undefined;
}

/**
 * Makes a stack in Pulumi's backend, and its file in `directory` (the checkout), whole or not at all: it is written elsewhere, with
 * its secrets, and appears at once. A file that exists is never overwritten, and a stack that was made in vain is removed again.
 *
 * Secrets go to Pulumi on standard input.
 *
 * @throws Error with what Pulumi said, and what is true then.
 */
export const makeStack = async (
  directory: string,
  { customer, text, secrets, secretsProvider }: NewStack,
): Promise<void> => {
  const name = `Pulumi.${customer}.yaml`;
  const elsewhere = await mkdtemp(join(tmpdir(), "jtel-chat-new-"));
  const pulumi = async (argv: string[], input = ""): Promise<void> => {
    const given = ["-C", elsewhere, ...argv, "--stack", customer, "--non-interactive", "--color", "never"];
    const { failed, stderr, shortMessage } = await execa("pulumi", given, {
      ...{ input, reject: false },
      detached: true, // a ^C is for us: we wait for it, and take back what it has made
    });
    if (failed)
      throw new Error(
        `pulumi ${argv.slice(0, 2).join(" ")} failed: ${printable(stderr.trim() || String(shortMessage))}`,
      );
  };
  let isOurs = false;
  try {
    await copyFile(join(directory, "Pulumi.yaml"), join(elsewhere, "Pulumi.yaml"));
    await writeFile(join(elsewhere, name), text, { mode: 0o644 });
    await orUndo(
      async (goOn) => {
        await pulumi(["stack", "init", ...(secretsProvider ? [`--secrets-provider=${secretsProvider}`] : [])]);
        isOurs = true;
        const all = { ...secrets, "approval.key": randomBytes(32).toString("hex") };
        for (const [key, value] of Object.entries(all)) {
          goOn();
          await pulumi(["config", "set", "--secret", "--path", `jtel-chat:${key}`], value);
        }
        goOn();
        await appear(join(elsewhere, name), join(directory, name));
      },
      async () => (isOurs ? pulumi(["stack", "rm", "--yes", "--force"]) : undefined),
    );
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
};

/** Does a work; where it fails, or `goOn` throws since a person has interrupted it, what was made for it is taken back. */
const orUndo = async (work: (goOn: () => void) => Promise<void>, undo: () => Promise<void>): Promise<void> => {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  const goOn = (): void => {
    if (interrupted) throw new Error("interrupted: nothing was made");
  };
  process.on("SIGINT", interrupt); // stays until all is taken back: execa ends a process that nobody else keeps
  try {
    await work(goOn);
  } catch (error) {
    await undo().catch(() => {});
    throw error;
  } finally {
    process.off("SIGINT", interrupt);
  }
};

/** Gives a whole file its name; a file that has it stays (link(2)). */
const appear = async (from: string, to: string): Promise<void> => {
  const beside = `${to}.new-${process.pid}`;
  await copyFile(from, beside);
  try {
    await link(beside, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new Error(`${to} exists, and stays as it is`);
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
};
