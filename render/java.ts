import { document, type Section } from "./document.ts";

/** The Java that ClientMessenger runs on. */
export interface Java {
  /** The apt package, e.g. `openjdk-17-jdk`. */
  package: string;
  /** Major release that it has to be at least; a Java of another origin that has it serves as well. */
  version: number;
  /** Line of sources.list(5) that has the package, where the host's own sources do not. */
  aptSource?: string | undefined;
  /** What a destroy does with a package that was installed by us and that nothing else needs. */
  onDestroy: "keep" | "remove";
}

/** The package, and its source where it needs one. */
export const javaDocument = (java: Java): string => document(...aptSource(java), javaPackage(java));

const sourceFile = "/etc/apt/sources.list.d/jtel-chat-java.list";

const aptSource = ({ aptSource: line }: Java): Section[] =>
  line ? [{ kind: "files", name: sourceFile, fields: { content: `${line}\n` } }] : [];

const javaPackage = ({ package: name, version, aptSource: line, onDestroy }: Java): Section => ({
  kind: "packages",
  name,
  fields: {
    java: String(version),
    source: line && sourceFile,
    undo: onDestroy === "remove" ? "remove" : undefined,
  },
});
