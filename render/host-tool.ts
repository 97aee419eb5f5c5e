import { readdirSync } from "node:fs";
import { templateText } from "./template.ts";

const packagePath = "usr/local/lib/jtel-chat/jtel_chat";

/**
 * The host tool as one Python program: its modules as literals, imported from memory when they are first needed.
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
  const modules = names.sort().map((name) => moduleText(name));
  return templateText("usr/local/lib/jtel-chat/bundle.py").replace(
    "MODULES = {}\n",
    () => `MODULES = {\n${modules.join("")}}\n`,
  );
};

/** Files below `templates/` that the tool writes on its own account; on the host there is no such folder. */
const carried = ["etc/systemd/system/jtel-chat-attest.service"];

const moduleText = (fileName: string): string => {
  const text = fileName === "texts.py" ? textsModule() : templateText(`${packagePath}/${fileName}`);
  if (text.includes("'''")) throw new Error(`${fileName}: ''' would end the module's literal. Use """`);
  return `    "${fileName.replace(/\.py$/, "")}": r'''${text}''',\n`;
};

const textsModule = (): string =>
  `_TEXTS = ${JSON.stringify(Object.fromEntries(carried.map((path) => [path, templateText(path)])))}\n\n\ndef text(path: str) -> str:\n    return _TEXTS[path]\n`;
