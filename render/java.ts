import { document, type Section } from "./document.ts";

/** The Java that ClientMessenger runs on. */
export interface Java {
  /** The apt package, e.g. `openjdk-17-jdk`. */
  package: string;
  /** Major release that it has to be at least; a Java of another origin that has it serves as well. */
  version: number;
  /** Line of sources.list(5) that has the package, where the host's own sources do not. */
  aptSource?: string | undefined;
  /** Public key that the packages of `aptSource` are signed with, armoured. */
  aptKey?: { text: string } | undefined;
  /** What a destroy does with a package that was installed by us and that nothing else needs. */
  onDestroy: "keep" | "remove";
}

/** The package, and its source with the key where it needs one. */
export const javaDocument = (java: Java): string => document(...aptKey(java), ...aptSource(java), javaPackage(java));

const sourceFile = "/etc/apt/sources.list.d/jtel-chat-java.list";

const keyFile = "/etc/apt/keyrings/jtel-chat-java.asc";

const aptKey = ({ aptKey: key }: Java): Section[] =>
  key ? [{ kind: "files", name: keyFile, fields: { content: `${key.text.replaceAll("\r\n", "\n").trim()}\n` } }] : [];

const aptSource = ({ aptSource: line, aptKey: key }: Java): Section[] =>
  line ? [{ kind: "files", name: sourceFile, fields: { content: `${key ? signedBy(line, keyFile) : line}\n` } }] : [];

/** `deb [arch=amd64] https://…` with the option that lets only this key vouch for the source (sources.list(5)). */
const signedBy = (line: string, file: string): string =>
  line.replace(/^deb +(?:\[([^\]]*)\] *)?/, (_, options = "") => `deb [${`${options} signed-by=${file}`.trim()}] `);

const javaPackage = ({ package: name, version, aptSource: line, onDestroy }: Java): Section => ({
  kind: "packages",
  name,
  fields: {
    java: String(version),
    source: line && sourceFile,
    undo: onDestroy === "remove" ? "remove" : undefined,
  },
});
