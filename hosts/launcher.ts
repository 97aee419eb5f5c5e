import { toolPath } from "../render/tool.ts";
import { printable } from "./printable.ts";

/** Why a step has to run on its host, as the host says it. */
export interface Launch {
  /** Counts the drifts that were healed; changes only then. */
  generation: number;
  /** From the host, so untrusted. */
  reason: string;
}

/** The command that applies a step's document (on stdin) on its host. */
export const applyCommand = (step: string, launch: Launch): string =>
  `sudo -n ${toolPath} ${applyArguments(step, launch)}`;

/**
 * The command that takes a step back. Where somebody has removed the tool, its own undo comes last and does this step, too.
 *
 * The document is read in any case: a command that ends with its stdin unread is an error (EOF) to the plugin.
 */
export const undoCommand = (step: string): string =>
  `if [ -x ${toolPath} ]; then sudo -n ${toolPath} undo ${step}; else cat >/dev/null; echo "${step}: jtel-chatctl is gone from this host, its own undo will take this back"; fi`;

/** The command that installs the host tool: its document holds the tool, which installs itself. */
export const installCommand = (launch: Launch): string => `${fromDocument()} ${applyArguments("tool", launch)}`;

/** The command that removes the host tool, and what other steps have left: run from its document, so that it may be gone. */
export const uninstallCommand = (): string => `${fromDocument()} undo tool`;

/** Runs the tool that stands in the document on stdin, with that document as its own stdin. */
const fromDocument = (): string => {
  const program = [
    "import io, sys",
    "data = sys.stdin.buffer.read()",
    "sys.stdin = io.TextIOWrapper(io.BytesIO(data))",
    "text = data.decode()",
    String.raw`tool = text.partition("# files: ${toolPath}\n")[2].partition("content:\n")[2]`,
    String.raw`tool = "\n".join(line[1:] for line in tool.split("\n"))`,
    'exec(compile(tool, "jtel-chatctl", "exec"), {"__name__": "__main__"})',
  ].join("; ");
  return `sudo -n python3 -I -c '${program}'`;
};

const applyArguments = (step: string, { generation, reason }: Launch) =>
  `apply ${step} ${generation} ${shellQuoted(printable(reason))}`;

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
