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

/** The command that installs the host tool, from the text that the look has brought. */
export const installCommand = (launch: Launch): string => `${fromText()} ${applyArguments("tool", launch)}`;

/** The command that removes the host tool, and what other steps have left: also where its launcher was removed by hand. */
export const uninstallCommand = (): string => `${fromText()} undo tool`;

/** Where a look leaves the tool's text for the installation that follows; a boot takes it away. */
const broughtPath = "/run/jtel-chat/tool";

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
    `places = texts + ["${toolPath}"] * installed`,
    `places or sys.exit("the text of jtel-chatctl " + wanted[:16] + " is not on this host. Run pulumi up, which brings it; then repeat")`,
    'given = os.memfd_create("document")',
    "os.write(given, document)",
    "os.lseek(given, 0, os.SEEK_SET)",
    "os.dup2(given, 0)",
    'os.execv(sys.executable, [sys.executable, "-IS", places[0], *sys.argv[1:]])',
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

/** What is in place, as `sha256sum --check` reads it; its first line names the tool's version (kinds/tool.py). */
const sumsPath = "/usr/local/lib/jtel-chat/tool.sha256";

/** Whether the tool whose text has this digest is in place, whole. */
const isInstalled = (toolDigest: string): string =>
  `grep -qs ${toolDigest} ${sumsPath} && sha256sum --check --status ${sumsPath} 2>/dev/null`;

/** Says that the tool's text is wanted, and runs a program that finds the text as `tool`, the end of its standard input. */
const withText = (lines: string[]): string => {
  const program = ["import os, sys", ...lines].join("; ");
  return `printf '\\036host tool wanted\\n'; exec sudo -n python3 -I -c "${program}"`;
};

/** Leaves the text where the installation finds it: whole or not at all. */
const keepText = [
  `os.makedirs('/run/jtel-chat', 0o700, exist_ok=True)`,
  `os.umask(0o077)`,
  `kept = open('${broughtPath}.new', 'wb')`,
  "kept.write(text)",
  "kept.close()",
  `os.replace('${broughtPath}.new', '${broughtPath}')`,
];

/**
 * The command that looks at a host and judges documents: the request is the first line of stdin; where the command says
 * {@link wantsTool}, the tool's text follows, to the end.
 *
 * The installed tool answers when it is this very version, otherwise the text that is sent does: looking needs no installation.
 * Both become files without a name, from which the tool can start itself anew within its limits.
 *
 * @param installs whether an installation follows, in an `up`: then the text is left for it.
 */
export const lookCommand = (toolDigest: string, installs: boolean): string => {
  const look = [
    "request, tool = os.memfd_create('request'), os.memfd_create('jtel-chatctl', 0)",
    "os.write(request, sys.stdin.buffer.readline())",
    "os.lseek(request, 0, os.SEEK_SET)",
    "text = sys.stdin.buffer.read()",
    "os.write(tool, text)",
    ...(installs ? keepText : []),
    "os.dup2(request, 0)",
    "os.execv(sys.executable, [sys.executable, '-IS', f'/proc/self/fd/{tool}', 'look'])",
  ];
  return `if ${isInstalled(toolDigest)}; then exec sudo -n ${toolPath} look; else ${withText(look)}; fi`;
};

/** The command that brings the tool's text to a host that lacks it, where nothing is looked at. */
export const bringCommand = (toolDigest: string): string =>
  `if ${isInstalled(toolDigest)}; then :; else ${withText(["text = sys.stdin.buffer.read()", ...keepText])}; fi`;

const applyArguments = (step: string, { generation, reason }: Launch) =>
  `apply ${step} ${generation} ${shellQuoted(printable(reason))}`;

/** What a host says ends in a command line and in terminals: printable characters only, of bounded length. */
export const printable = (text: string): string => {
  const cleaned = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
  return cleaned.length > 400 ? `${cleaned.slice(0, 399)}…` : cleaned;
};

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
