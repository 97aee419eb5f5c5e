import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { documentDigest, type Section } from "./document.ts";
import { templateText } from "./template.ts";

const source = new URL("../host-tool/", import.meta.url);

/** What the tool itself writes or has run on a host, by its place below `templates/`: programs are never a document's. */
export const ownTexts = [
  "etc/systemd/system/jtel-chat-attest.service",
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

/** The section that installs the tool: its text is in no document. */
export const toolSection = (): Section => ({
  kind: "tool",
  name: "/usr/local/lib/jtel-chat/tool.zip",
  fields: { version, digest: hostToolDigest() },
});

/**
 * The host tool as one Python program: its modules as literals, imported from memory when they are first needed, and its texts.
 *
 * A look brings it to a host that lacks it; there it is installed compiled (kinds/tool.py). Documents name it by its digest.
 */
export const hostTool = (): string => {
  built ??= bundle();
  return built;
};

/** Which version that is: SHA-256 of its text, 64 hexadecimal digits. */
export const hostToolDigest = (): string => createHash("sha256").update(hostTool()).digest("hex");

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

let built: string | undefined;

const bundle = (): string => {
  const names = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".py"));
  const modules = names.filter((name) => name.startsWith("jtel_chat/")).map((name) => literal(name, moduleText(name)));
  const texts = ownTexts.map((path) => literal(path, templateText(path)));
  return moduleText("bundle.py")
    .replace("MODULES = {}\n", () => `MODULES = {\n${modules.sort().join("")}}\n`)
    .replace("TEXTS = {}\n", () => `TEXTS = {\n${texts.join("")}}\n`);
};

const moduleText = (name: string): string => readFileSync(new URL(name, source), "utf8");

const literal = (name: string, text: string): string => {
  if (text.includes("'''")) throw new Error(`${name}: ''' would end its literal. Use """`);
  return `    "${name}": r'''${text}''',\n`;
};
