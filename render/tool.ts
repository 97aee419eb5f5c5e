import { document } from "./document.ts";
import { hostTool } from "./host-tool.ts";
import { ownTextSection } from "./own-text.ts";

/** Where the host tool lives on every host. */
export const toolPath = "/usr/local/sbin/jtel-chatctl";

/**
 * The tool, which comes last because the launcher takes it from there; what goes with it; and whose the host is.
 *
 * @param owner The stack, as `jtel-chat/dev`.
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
    { kind: "files", name: toolPath, fields: { content: hostTool() } },
  );
};
