import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Host, Step } from "../hosts/host.ts";
import { type Java, javaDocument } from "../render/java.ts";

/** What {@link JavaInstall} needs to know. */
export interface JavaInstallArgs extends Java {
  /** The chat servers that get Java. */
  chatServers: Host[];
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
    const document = javaDocument(args);
    this.installed = args.chatServers.map((host) => host.step("java", document, { parent: this }));
    this.registerOutputs();
  }
}
