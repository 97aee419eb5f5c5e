import { sumsPath } from "../render/tool.ts";
import { posix } from "./posix.ts";

/** Where a run leaves the tool's text for the installation that follows; a boot takes it away. */
export const broughtPath = "/run/jtel-chat/tool";

/** What a command says that wants the tool's text. */
export const wantsTool = "\u001ehost tool wanted\n";

/** A command for hosts where the tool with this digest is in place, whole, and another one, made by {@link withText}, elsewhere. */
export const whereInstalled = (toolDigest: string, there: string, elsewhere: string): string =>
  posix(
    `if grep -qs ${toolDigest} ${sumsPath} && sha256sum --check --status ${sumsPath} 2>/dev/null; then ${there}; else ${elsewhere}; fi`,
  );

/**
 * Says that the tool's text is wanted, and runs Python's `lines`, which read it from standard input. They hold no quotes: what
 * would stand in them comes as `given`, e.g. `word[2]`, its third word.
 */
export const withText = (lines: string[], given: string[] = []): string => {
  const start = [
    "import os, sys",
    "print(chr(30) + sys.argv[1].replace(chr(95), chr(32)), flush=True)",
    "word = sys.argv[2:]",
  ];
  const words = [wantsTool.slice(1).trim().replaceAll(" ", "_"), ...given];
  return `exec sudo -n python3 -I -c "${[...start, ...lines].join("; ")}" ${words.join(" ")}`;
};

/** Python's lines that leave `text` where the installation finds it: whole or not at all. Their words are {@link kept}. */
export const keepText = [
  "os.makedirs(word[0], 0o755, exist_ok=True)",
  "os.umask(0o077)",
  "kept = open(word[2], word[3])",
  "kept.write(text)",
  "kept.close()",
  "os.replace(word[2], word[1])",
];

/** The folder, the file, its name while it is written, how it is opened. */
export const kept = ["/run/jtel-chat", broughtPath, `${broughtPath}.new`, "wb"];
