import { sumsPath, toolPath } from "../render/tool.ts";
import { posix } from "./posix.ts";
import { printable } from "./printable.ts";
import { broughtPath } from "./tool-text.ts";

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
  posix(
    `if [ -x ${toolPath} ]; then exec sudo -n ${toolPath} undo ${step}; else cat >/dev/null; echo "${step}: jtel-chatctl is gone from this host, its own undo will take this back"; fi`,
  );

/** The command that installs the host tool, from the text that the look has brought. */
export const installCommand = (launch: Launch): string => `${fromText()} ${applyArguments("tool", launch)}`;

/** The command that removes the host tool, and what other steps have left: also where its launcher was removed by hand. */
export const uninstallCommand = (): string => `${fromText()} undo tool`;

/**
 * Runs the tool that the document on stdin names by its digest, with that document as its own stdin: from the text that a look
 * has brought or that an installation has kept, else from the installed archive.
 */
const fromText = (): string => {
  const program = [
    "import hashlib, os, re, sys",
    "document = sys.stdin.buffer.read()",
    'wanted = re.search(b"^digest: ([0-9a-f]{64})$", document, re.M)[1].decode()',
    'digest = lambda path: hashlib.sha256(open(path, "rb").read()).hexdigest()',
    `texts = [path for path in ("${broughtPath}", "/var/lib/jtel-chat/tool") if os.path.exists(path) and digest(path) == wanted]`,
    `installed = os.path.exists("${sumsPath}") and wanted in open("${sumsPath}").read()`,
    `programs = [[sys.executable, "-IS", text] for text in texts] + [["${toolPath}"]] * installed`,
    `programs or sys.exit("the text of jtel-chatctl " + wanted[:16] + " is not on this host. Run pulumi up, which brings it; then repeat")`,
    'given = os.memfd_create("document")',
    "os.write(given, document)",
    "os.lseek(given, 0, os.SEEK_SET)",
    "os.dup2(given, 0)",
    "os.execv(programs[0][0], programs[0] + sys.argv[1:])",
  ].join("; ");
  return `sudo -n /usr/bin/python3 -I -c '${program}'`;
};

const applyArguments = (step: string, { generation, reason }: Launch) =>
  `apply ${step} ${generation} ${shellQuoted(printable(reason))}`;

/** Quotes and backslashes, which shells read differently, are exchanged for others: the text is for people. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", "’").replaceAll("\\", "∖")}'`;
