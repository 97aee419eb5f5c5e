import { toolPath } from "../../render/tool.ts";
import { keepText, kept, whereInstalled, withText } from "../tool-text.ts";

/**
 * The command that looks at a host with an account that may do nothing else: the request, names of steps, is its stdin.
 *
 * Plain words: where the account's key has a forced command, sshd runs that instead, which is the same.
 */
export const observeCommand = `sudo -n ${toolPath} observe`;

/**
 * The command that looks at a host and judges documents: the request is the first line of stdin; where the command says
 * {@link wantsTool}, the tool's text follows, to the end.
 *
 * The installed tool answers when it is this very version, otherwise the text that is sent does: looking needs no installation.
 * Both become files without a name, from which the tool can start itself anew within its limits.
 *
 * @param installs whether an installation follows, in an `up`: then the text is left for it.
 */
export const lookCommand = (toolDigest: string, installs: boolean): string =>
  whereInstalled(
    toolDigest,
    `exec sudo -n ${toolPath} look`,
    withText(
      [
        "request, tool = os.memfd_create(word[4]), os.memfd_create(word[5], 0)",
        "os.write(request, sys.stdin.buffer.readline())",
        "os.lseek(request, 0, os.SEEK_SET)",
        "text = sys.stdin.buffer.read()",
        "os.write(tool, text)",
        ...(installs ? keepText : []),
        "os.dup2(request, 0)",
        "os.execv(sys.executable, [sys.executable, word[6], word[7] + str(tool), word[8]])",
      ],
      [...kept, "request", "jtel-chatctl", "-IS", "/proc/self/fd/", "look"],
    ),
  );
