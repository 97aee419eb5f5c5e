/** `npm run apply -- --stack STACK --approved REPORT`: an `up` that does what was approved, or nothing. */
import { readFile } from "node:fs/promises";
import { lineDiff } from "../report/line-diff.ts";
import { reportSchema } from "../report/report.ts";
import { runPulumi } from "../report/run-pulumi.ts";
import { commandLine } from "./command-line.ts";
import { configFile } from "./config-file.ts";
import { failWith } from "./fail.ts";
import { project } from "./project.ts";

const usage = `npm run apply -- --stack STACK --approved REPORT.json|DIGEST [--config-file FILE]

Applies what was approved: a report that npm run report has written, or its digest.  Where hosts, state, program or stack file
are not those of the report, nothing is written.
Exit code: 0 applied, 4 not what was approved, 1 an error.`;

/** Exit code where this is not what was approved. */
const notApproved = 4;

/** What was approved: its digest, and its lines where there is a report. */
interface Approved {
  digest: string;
  lines: string[] | undefined;
}

/**
 * Reads what was approved, a report's file or a digest.
 *
 * @throws Error for a report of another stack, project or form, one that cannot be approved, and for what is neither.
 */
export const approvedOf = async (given: string, stack: string): Promise<Approved> => {
  if (/^[0-9a-f]{64}$/.test(given)) return { digest: given, lines: undefined };
  const text = await readFile(given, "utf8").catch(() => undefined);
  if (text === undefined)
    throw new Error(`--approved ${given}: is no digest (64 hexadecimal digits), and no file that can be read`);
  const parsed = reportSchema.safeParse(jsonOf(text));
  if (!parsed.success)
    throw new Error(
      `--approved ${given}: is no report of this version. Make it anew: npm run report -- --stack ${stack} --json ${given}`,
    );
  const report = parsed.data;
  if (report.project !== project() || report.stack !== stack)
    throw new Error(`--approved ${given}: is of ${report.project}/${report.stack}, not of ${project()}/${stack}`);
  if ("refused" in report.approval)
    throw new Error(`--approved ${given}: cannot be approved: ${report.approval.refused}`);
  return report.approval;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: { stack: { type: "string" }, approved: { type: "string" }, "config-file": { type: "string" } },
  });
  const { stack, approved } = values;
  if (!stack || !approved) throw new Error(usage);
  const { digest, lines } = await approvedOf(approved, stack);
  const config = configFile(values["config-file"]);
  const argv = ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", ...config];
  const { exitCode, failure, seen } = await runPulumi(argv, { shown: true, env: { JTEL_CHAT_APPROVED: digest } });
  process.exitCode = exitCode ? 1 : 0; // Pulumi's own codes would be taken for ours
  if (failure) return console.error(failure);
  const now = seen?.approval;
  if (!exitCode || !now || "refused" in now || now.digest === digest) return; // pulumi has said why
  process.exitCode = notApproved;
  console.error("not applied, since this is not what was approved. Nothing was written on any host.");
  if (!lines) return console.error("To see the difference, give the report instead of its digest.");
  console.error(`--- approved\n+++ now\n${lineDiff(lines.join("\n"), now.lines.join("\n"))}`);
};

if (import.meta.main) main().catch(failWith);
