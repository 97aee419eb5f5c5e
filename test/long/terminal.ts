import { spawn } from "node:child_process";
import { until } from "../../lab/deadline.ts";

/** What a person answers: as soon as the terminal shows `asked`, `typed` and the return key. */
export interface Answer {
  asked: RegExp;
  typed: string;
}

/** A command that ended, as a terminal showed it. */
export interface Ended {
  exitCode: number;
  shown: string;
}

/**
 * Runs a command at a terminal of its own (script(1)) and answers its questions, in this order. A question is answered once, and
 * the next one is looked for behind it.
 *
 * @throws Error with what was shown, where a question does not come.
 */
export const atTerminal = async (
  command: string,
  answers: Answer[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Ended> => {
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], options);
  let [shown, seen] = ["", 0];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      shown += String(chunk);
    });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 255));
  });
  for (const { asked, typed } of answers) {
    await until(`the question ${asked}, after\n${shown.slice(seen)}`, 120, async () => {
      const found = asked.exec(shown.slice(seen));
      if (child.exitCode !== null && !found) throw new Error(`it ended: ${shown}`);
      if (found) seen += found.index + found[0].length;
      return found ?? undefined;
    });
    child.stdin.write(`${typed}\r`);
  }
  return { exitCode: await ended, shown };
};
