import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { ownTexts } from "./own-text.ts";
import { templateText } from "./template.ts";

const source = new URL("../host-tool/", import.meta.url);

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
