import { readdirSync } from "node:fs";
import { ownTexts } from "./own-text.ts";
import { templateText } from "./template.ts";

const packagePath = "usr/local/lib/jtel-chat/jtel_chat";

/**
 * The host tool as one Python program: its modules as literals, imported from memory when they are first needed, and its texts.
 *
 * One text can be sent ahead for looking at a host where nothing is installed, and a preview shows a changed line of it.
 */
export const hostTool = (): string => {
  built ??= bundle();
  return built;
};

let built: string | undefined;

const bundle = (): string => {
  const names = readdirSync(new URL(`../templates/${packagePath}/`, import.meta.url)).filter((name) =>
    name.endsWith(".py"),
  );
  const modules = names.sort().map((name) => literal(name.replace(/\.py$/, ""), `${packagePath}/${name}`));
  const texts = ownTexts.map((path) => literal(path, path));
  return templateText("usr/local/lib/jtel-chat/bundle.py")
    .replace("MODULES = {}\n", () => `MODULES = {\n${modules.join("")}}\n`)
    .replace("TEXTS = {}\n", () => `TEXTS = {\n${texts.join("")}}\n`);
};

const literal = (name: string, path: string): string => {
  const text = templateText(path);
  if (text.includes("'''")) throw new Error(`${path}: ''' would end its literal. Use """`);
  return `    "${name}": r'''${text}''',\n`;
};
