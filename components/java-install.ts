import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { document, type Section } from "../render/document.ts";

/** What {@link JavaInstall} needs to know. */
export interface JavaInstallArgs {
  /** The chat servers that get Java. */
  chatServers: Host[];
  /** The apt package, e.g. `openjdk-17-jdk`. */
  package: string;
  /** Major release that it has to be at least; a Java of another origin that has it serves as well. */
  version: number;
  /** Line of sources.list(5) that has the package, where the host's own sources do not. */
  aptSource?: string | undefined;
  /** What a destroy does with a package that was installed by us and that nothing else needs. */
  onDestroy: "keep" | "remove";
}

/**
 * The Java that ClientMessenger runs on, from apt.
 *
 * Owns nothing but the wish that the package is installed: an installed one is left as it is, upgrades are the host's business.
 * Deleting leaves it there, since by then other programs may use it, unless `onDestroy` says otherwise.
 *
 * Vendor page "CHAT role", step Java.
 */
export class JavaInstall extends ComponentResource {
  /** One step per chat server; a new Java is loaded at ClientMessenger's next start. */
  readonly installed: Step[];

  constructor(name: string, args: JavaInstallArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:JavaInstall", name, {}, opts);
    const text = document(...aptSource(args), javaPackage(args));
    this.installed = args.chatServers.map((host) => host.step("java", text, { parent: this }));
    this.registerOutputs();
  }
}

const sourceFile = "/etc/apt/sources.list.d/jtel-chat-java.list";

const aptSource = ({ aptSource: line }: JavaInstallArgs): Section[] =>
  line ? [{ kind: "files", name: sourceFile, fields: { content: `${line}\n` } }] : [];

const javaPackage = ({ package: name, version, aptSource: line, onDestroy }: JavaInstallArgs): Section => ({
  kind: "packages",
  name,
  fields: {
    java: String(version),
    source: line && sourceFile,
    undo: onDestroy === "remove" ? "remove" : undefined,
  },
});
