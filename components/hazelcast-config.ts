import { ComponentResource, type ComponentResourceOptions, type Output, secret } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Hazelcast, Share } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import { hazelcastFile, home, releaseFolder, unitName } from "../render/client-messenger.ts";
import { document, type Section } from "../render/document.ts";
import { hazelcastXml } from "../render/hazelcast.ts";

/** What {@link HazelcastConfig} needs to know: where the file comes from, and on which hosts. */
export type HazelcastConfigArgs = Hazelcast & {
  /** The chat servers that get the file. */
  chatServers: Host[];
  /** The share with the cluster-wide hazelcast.xml and the vendor's release. */
  share: Share;
  /** Which release of ClientMessenger will load the file: `hold` keeps what is installed; others may come from the share. */
  release: string;
};

/**
 * Every chat server's `conf/hazelcast.xml`, and the link `/acd-store/shared`.
 *
 * `source: share` copies the cluster's own file, which belongs to the web role: it is followed, never written. `source: render`
 * writes a complete file for Hazelcast 3 or 5, whichever the release on the host brings; its members are the chat servers and
 * `members`. Either is judged by the Hazelcast that will load it. A change restarts ClientMessenger, one server after the other.
 *
 * Vendor page "CHAT role", step Hazelcast; Hazelcast reference manual, "Configuring with XML".
 */
export class HazelcastConfig extends ComponentResource {
  /** One step per chat server; the restart waits for it. */
  readonly written: Step[];
  /** Of the rendered file's group (Hazelcast 3 only): the stack's own, or a random one. */
  readonly password: Output<string> | undefined;

  constructor(name: string, args: HazelcastConfigArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:HazelcastConfig", name, {}, opts);
    const text = document(configFile(args), storeLink(args.share));
    this.password = args.source === "render" ? this.groupPassword(args.password) : undefined;
    this.written = args.chatServers.map((host) => host.step("hazelcast", text, { parent: this }));
    this.registerOutputs();
  }

  private groupPassword(given: string | undefined): Output<string> {
    if (given !== undefined) return secret(given);
    return new RandomPassword("hazelcast-password", { length: 32, special: false }, { parent: this }).result;
  }
}

const configFile = (args: HazelcastConfigArgs): Section => ({
  kind: "files",
  name: hazelcastFile,
  fields: {
    ...(args.source === "share" ? copied(args.share) : rendered(args)),
    check: "hazelcast",
    jars: jarFolders(args),
    "loaded-by": unitName,
  },
});

const copied = ({ path, hosted }: Share) => ({ from: `${path}/hazelcast.xml`, mount: hosted ? undefined : path });

const rendered = ({ clusterName, members, chatServers }: HazelcastConfigArgs & { source: "render" }) => {
  const cluster = { clusterName, members: [...chatServers.map(({ address }) => address), ...members] };
  return { "content-3": hazelcastXml(3, cluster), "content-5": hazelcastXml(5, cluster) };
};

/** Where the Hazelcast lies that will load the file: a release that is not held is installed by a later step. */
const jarFolders = ({ share, release }: HazelcastConfigArgs): string[] => {
  const [installed, offered] = [`${home}/bin`, `${share.path}/${releaseFolder}/bin`];
  return release === "hold" ? [installed, offered] : [offered, installed];
};

const storeLink = ({ path }: Share): Section => ({ kind: "files", name: "/acd-store/shared", fields: { link: path } });
