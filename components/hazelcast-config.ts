import { ComponentResource, type ComponentResourceOptions, type Output, secret } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Hazelcast, Share } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import { hazelcastDocument } from "../render/hazelcast.ts";
import type { Rollout } from "./rollout.ts";

/** What {@link HazelcastConfig} needs to know: where the file comes from, and on which hosts. */
export type HazelcastConfigArgs = Hazelcast & {
  /** The chat servers that get the file. */
  chatServers: Host[];
  /** The share with the cluster-wide hazelcast.xml and the vendor's release. */
  share: Share;
  /** Which release of ClientMessenger will load the file: `hold` keeps what is installed; others may come from the share. */
  release: string;
  /** The process loads the file, so it comes to one server after the other. */
  rollout: Rollout;
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
    const document = hazelcastDocument(args);
    this.written = args.chatServers.map((host, index) =>
      host.step("hazelcast", document, { parent: this, after: args.rollout.before(index) }),
    );
    this.password = args.source === "render" ? this.groupPassword(args.password) : undefined;
    this.registerOutputs();
  }

  /** The given one, or a random one, which is made once all hosts were seen: an `up` that is refused makes nothing. */
  private groupPassword(given: string | undefined): Output<string> {
    if (given !== undefined) return secret(given);
    const length = Promise.all(this.written.map(({ active }) => active())).then(() => 32);
    return new RandomPassword("hazelcast-password", { length, special: false }, { parent: this }).result;
  }
}
