import { hostTool } from "../render/host-tool.ts";
import { sumsPath } from "../render/tool.ts";
import { posix } from "./posix.ts";
import type { SshInput } from "./ssh/ssh.ts";

/** Where a run leaves the tool's text for the installation that follows; a boot takes it away. */
export const broughtPath = "/run/jtel-chat/tool";

/** What a command says that wants the tool's text. */
export const wantsTool = "jtel-chatctl: the text of the host tool is wanted";

/** Reads the request, then runs a line of Python, which reads the tool's text from the rest of standard input. */
const start = "import sys; request = sys.stdin.buffer.readline(); exec(sys.stdin.buffer.readline())";

/**
 * The command `there` for hosts where the tool with this digest is in place and whole. Elsewhere {@link withTool} sends the text,
 * which answers the request instead: looking needs no installation. What sudo refuses, it says in English.
 */
export const whereInstalled = (toolDigest: string, there: string): string =>
  posix(
    `export LC_ALL=C LANGUAGE=; if grep -qs ${toolDigest} ${sumsPath} && sha256sum --check --status ${sumsPath} 2>/dev/null; then ${there}; else ${asksForTool("sudo -n")}; fi`,
  );

/** A script that asks for the tool's text and runs it with the rights that `become` gives, e.g. `sudo -n`. */
export const asksForTool = (become: string): string =>
  `echo "${wantsTool}"; exec ${become} /usr/bin/python3 -I -c "${start}"`;

/**
 * What that command gets: the request, and where it asks for more, the tool's text and how to run it.
 *
 * Request and text become files without a name, from which the tool can start itself anew within its limits.
 *
 * @param command What the tool is to do with the request, e.g. `look`.
 * @param keep Whether an installation follows: then the text is left for it, whole or not at all.
 */
export const withTool = (request: SshInput["text"], command: string, keep: boolean): SshInput => {
  const lines = [
    "import os",
    'given, tool = os.memfd_create("request"), os.memfd_create("jtel-chatctl", 0)',
    "os.write(given, request)",
    "os.lseek(given, 0, os.SEEK_SET)",
    "text = sys.stdin.buffer.read()",
    "os.write(tool, text)",
    ...(keep ? keepText : []),
    "os.dup2(given, 0)",
    `os.execv(sys.executable, [sys.executable, "-IS", f"/proc/self/fd/{tool}", "${command}"])`,
  ];
  return { text: request, more: { asked: wantsTool, text: `${lines.join("; ")}\n${hostTool()}` } };
};

const keepText = [
  `os.makedirs(os.path.dirname("${broughtPath}"), 0o755, exist_ok=True)`,
  "os.umask(0o077)",
  `kept = open("${broughtPath}.new", "wb")`,
  "kept.write(text)",
  "kept.close()",
  `os.replace("${broughtPath}.new", "${broughtPath}")`,
];
