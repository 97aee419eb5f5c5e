import type { LabHost } from "../../lab/lab.ts";

/** What a person who logs in after a fault is told, each of which has to end by itself. */
const asked = ["status", "check", "log"];

const ask = async (host: LabHost, command: string) => {
  const { exitCode, stdout, stderr } = await host.exec(`timeout 60 jtel-chatctl ${command}`);
  const wrong = exitCode > 1 || /Traceback|cannot be looked at/.test(stdout + stderr);
  return { stdout, lie: wrong ? `jtel-chatctl ${command} (${exitCode}) says: ${stdout}${stderr}` : undefined };
};

/** Asks the host tool as a person does, while nobody has repaired anything yet. Says which command does not answer. */
export const answersAPerson = async (host: LabHost): Promise<string | undefined> => {
  for (const command of asked) {
    const { lie } = await ask(host, command);
    if (lie) return lie;
  }
  return undefined;
};

/** Says which of the commands does not say that all is well, after an `up` that has succeeded. */
export const saysAllIsWell = async (host: LabHost): Promise<string | undefined> => {
  const [status, check, log] = await Promise.all(asked.map((command) => ask(host, command)));
  const lie = status?.lie ?? check?.lie ?? log?.lie;
  if (lie) return lie;
  if (status?.stdout.includes("a run is going on")) return `status says: ${status.stdout}`;
  if (check?.stdout.trim() !== "everything is as it was applied") return `check says: ${check?.stdout}`;
  const last = log?.stdout.split("\n").findLast((line) => /^\d{4}-/.test(line)) ?? "";
  return last.endsWith(": done") ? undefined : `the log ends with: ${last}`;
};
