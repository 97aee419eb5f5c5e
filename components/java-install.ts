import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { document } from "../render/document.ts";

/** What {@link JavaInstall} needs to know. */
export interface JavaInstallArgs {
  /** The chat servers that get Java. */
  chatServers: Host[];
  /** The apt package. @default "openjdk-17-jdk" */
  package?: string;
}

/**
 * The Java that ClientMessenger runs on, from apt.
 *
 * Owns nothing but the wish that the package is installed: an installed one is left as it is, upgrades are the host's business.
 * Deleting leaves it there, since by then other programs may use it.
 *
 * Vendor page "CHAT role", step Java.
 */
export class JavaInstall extends ComponentResource {
  /** One step per chat server; a new Java is loaded at ClientMessenger's next start. */
  readonly installed: Step[];

  constructor(name: string, args: JavaInstallArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:JavaInstall", name, {}, opts);
    const text = document({ kind: "packages", name: args.package ?? "openjdk-17-jdk" });
    this.installed = args.chatServers.map((host) => host.step("java", text, { parent: this }));
    this.registerOutputs();
  }
}
