import { posix } from "./posix.ts";
import { printable } from "./printable.ts";
import { connectionProblem } from "./ssh/connection-problem.ts";
import { type SshTarget, ssh } from "./ssh/ssh.ts";

/**
 * Runs a script as root on a host where the account needs its password for sudo. The password goes to sudo on standard input, and
 * nowhere else; the script is public.
 *
 * @returns Why it did not run to its end; undefined where it did.
 */
export const runAsRoot = async (target: SshTarget, script: string, password: string): Promise<string | undefined> => {
  const text = Buffer.from(script).toString("base64");
  const command = posix(`sudo -k -S -p "" sh -c "echo ${text} | base64 -d | sh"`);
  const result = await ssh(target, command, `${password}\n`);
  if (result.exitCode === 0 && !result.ended) return undefined;
  if (/incorrect password|try again|no password was provided/i.test(result.stderr))
    return `sudo does not take this password of ${target.user} there`;
  if (/not in the sudoers|not allowed/i.test(result.stderr)) return `${target.user} may not use sudo there`;
  if (result.exitCode === 255 || result.ended) return connectionProblem(target, result);
  return `it ended with exit code ${result.exitCode}: ${printable(result.stderr.trim().slice(-300))}`;
};
