import { sumsPath } from "../render/tool.ts";

/** Where a run leaves the tool's text for the installation that follows; a boot takes it away. */
export const broughtPath = "/run/jtel-chat/tool";

/** What a command says that wants the tool's text. */
export const wantsTool = "\u001ehost tool wanted\n";

/** A command for hosts where the tool with this digest is in place, whole, and another one, made by {@link withText}, elsewhere. */
export const whereInstalled = (toolDigest: string, there: string, elsewhere: string): string =>
  `if grep -qs ${toolDigest} ${sumsPath} && sha256sum --check --status ${sumsPath} 2>/dev/null; then ${there}; else ${elsewhere}; fi`;

/** Says that the tool's text is wanted, and runs Python's `lines`, which read it from standard input. */
export const withText = (lines: string[]): string => {
  const program = ["import os, sys", ...lines].join("; ");
  return `printf '\\036host tool wanted\\n'; exec sudo -n python3 -I -c "${program}"`;
};

/** Python's lines that leave `text` where the installation finds it: whole or not at all. */
export const keepText = [
  "os.makedirs('/run/jtel-chat', 0o755, exist_ok=True)",
  "os.umask(0o077)",
  `kept = open('${broughtPath}.new', 'wb')`,
  "kept.write(text)",
  "kept.close()",
  `os.replace('${broughtPath}.new', '${broughtPath}')`,
];

/** The command that brings the tool's text to a host that lacks it; nothing is looked at. */
export const bringCommand = (toolDigest: string): string =>
  whereInstalled(toolDigest, ":", withText(["text = sys.stdin.buffer.read()", ...keepText]));
