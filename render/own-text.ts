import { documentDigest, type Section } from "./document.ts";
import { templateText } from "./template.ts";

/** What the tool itself writes or has run on a host, by its place below `templates/`: programs are never a document's. */
export const ownTexts = [
  "etc/systemd/system/jtel-chat-attest.service",
  "etc/systemd/system/jtel-chat-drain.service",
  "etc/systemd/system/jtel-chat-drain.socket",
  "etc/systemd/system/jtel-chat-recover.service",
  "usr/local/bin/updatesc.sh",
  "usr/local/lib/jtel-chat/DatabaseLogin.java",
  "usr/local/lib/jtel-chat/HazelcastCheck.java",
  "usr/local/sbin/jtel-chatctl",
] as const;

/** The section that has such a text in its place; the tool knows the text, the document says which one. */
export const ownTextSection = (path: (typeof ownTexts)[number]): Section => ({
  kind: "files",
  name: `/${path}`,
  fields: { digest: documentDigest(templateText(path)) },
});
