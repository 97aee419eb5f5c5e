import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Share } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import { home, unitName } from "../render/client-messenger.ts";
import { document, type Section } from "../render/document.ts";

/** What {@link HazelcastConfig} needs to know. */
export interface HazelcastConfigArgs {
  /** The chat servers that get the file. */
  chatServers: Host[];
  /** The share with the cluster-wide hazelcast.xml. */
  share: Share;
}

/**
 * Every chat server's `conf/hazelcast.xml`, copied from the share, and the link `/acd-store/shared`.
 *
 * The share's file belongs to the web role and serves the whole cluster: it is checked (well-formed, ring buffer `CHAT`, map
 * `CHATCOUNTERS`), never written. A change there is followed, and restarts ClientMessenger, one server after the other.
 *
 * Vendor page "CHAT role", step Hazelcast.
 */
export class HazelcastConfig extends ComponentResource {
  /** One step per chat server; the restart waits for it. */
  readonly written: Step[];

  constructor(name: string, args: HazelcastConfigArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:HazelcastConfig", name, {}, opts);
    const text = document(configFile(args.share), storeLink(args.share));
    this.written = args.chatServers.map((host) => host.step("hazelcast", text, { parent: this }));
    this.registerOutputs();
  }
}

const configFile = ({ path, hosted }: Share): Section => ({
  kind: "files",
  name: `${home}/conf/hazelcast.xml`,
  fields: {
    from: `${path}/hazelcast.xml`,
    mount: hosted ? undefined : path,
    owner: "jtel:jtel",
    mode: "0644",
    check: "hazelcast",
    "loaded-by": unitName,
  },
});

const storeLink = ({ path }: Share): Section => ({ kind: "files", name: "/acd-store/shared", fields: { link: path } });
