/** Where the host tool lives on every host. */
export const toolPath = "/usr/local/sbin/jtel-chatctl";

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

/**
 * The command that looks at a host with an account that may do nothing else: the request, names of steps, is its stdin.
 *
 * Plain words: where the account's key has a forced command, sshd runs that instead, which is the same.
 */
export const observeCommand = `sudo -n ${toolPath} observe`;

/** What {@link lookCommand} says where it wants the tool's text. */
export const wantsTool = "\u001ehost tool wanted\n";

/**
 * The command that looks at a host and judges documents: the request is the first line of stdin; where the command says
 * {@link wantsTool}, the tool's text follows, to the end.
 *
 * The installed tool answers when it is this very version, otherwise the text that is sent does: looking needs no installation.
 * Both become files without a name, from which the tool can start itself anew within its limits.
 */
export const lookCommand = (toolDigest: string): string => {
  const program = [
    "import os, sys",
    "request, tool = os.memfd_create('request'), os.memfd_create('jtel-chatctl', 0)",
    "os.write(request, sys.stdin.buffer.readline())",
    "os.lseek(request, 0, os.SEEK_SET)",
    "os.write(tool, sys.stdin.buffer.read())",
    "os.dup2(request, 0)",
    "os.execv(sys.executable, [sys.executable, '-I', f'/proc/self/fd/{tool}', 'look'])",
  ].join("; ");
  const unchanged = `echo "${toolDigest}  ${toolPath}" | sha256sum --check --status 2>/dev/null`;
  return `if ${unchanged}; then exec sudo -n ${toolPath} look; else printf '\\036host tool wanted\\n'; exec sudo -n python3 -I -c "${program}"; fi`;
};

const applyArguments = (step: string, { generation, reason }: Launch) =>
  `apply ${step} ${generation} ${shellQuoted(printable(reason))}`;

/** What a host says ends in a command line and in terminals: printable characters only, of bounded length. */
export const printable = (text: string): string => {
  const cleaned = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
  return cleaned.length > 400 ? `${cleaned.slice(0, 399)}…` : cleaned;
};

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
