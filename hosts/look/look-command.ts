import { toolPath } from "../../render/tool.ts";

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
