import { readFileSync } from "node:fs";
import { document } from "./document.ts";
import { hostToolDigest } from "./host-tool.ts";
import { ownTextSection } from "./own-text.ts";

/** Where the host tool is called on every host: its launcher. */
export const toolPath = "/usr/local/sbin/jtel-chatctl";

/** What is in place of it, as `sha256sum --check` reads it; the first line names the tool's version (kinds/tool.py). */
export const sumsPath = "/usr/local/lib/jtel-chat/tool.sha256";

/**
 * Whose the host is, what a boot runs, and the tool, whose text is in no document: a look brings it. Its launcher comes last,
 * when there is what it runs.
 *
 * @param owner The stack's name and the id in its state, as `jtel-chat/dev 3f1c2b7a-…` (engine/owner.py).
 */
export const toolDocument = (owner: string): string => {
  const recover = "etc/systemd/system/jtel-chat-recover.service";
  return document(
    { kind: "files", name: "/var/lib/jtel-chat/owner", fields: { content: `${owner}\n` } },
    ownTextSection(recover),
    {
      kind: "files",
      name: "/etc/systemd/system/sysinit.target.wants/jtel-chat-recover.service",
      fields: { link: `/${recover}` },
    },
    {
      kind: "tool",
      name: "/usr/local/lib/jtel-chat/tool.zip",
      fields: { version: version(), digest: hostToolDigest() },
    },
    ownTextSection("usr/local/sbin/jtel-chatctl"),
  );
};

const version = (): string => JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
