import type { Hazelcast, Share } from "../config/schema.ts";
import { hazelcastFile, home, unitName, vendorFolder } from "./client-messenger/places.ts";
import { document, type Section } from "./document.ts";
import { fill } from "./template.ts";

/** What a cluster's hazelcast.xml is made of. */
export interface HazelcastCluster {
  /** Members only join a cluster of their own name. */
  clusterName: string;
  /** As Hazelcast reads them: addresses or names, with a port (`10.1.0.21:5702`) or as a range (`10.1.0.21-25`). */
  members: string[];
}

/** The Java system property that the file of Hazelcast 3 names instead of the group's password, so that everybody may read it. */
export const passwordProperty = "jtel.hazelcast.password";

/**
 * A complete hazelcast.xml, for one major version of Hazelcast: in 4 groups became names, and eviction an element of its own.
 * (Hazelcast reference manual, "Configuring with XML"; vendor page "CHAT role", step Hazelcast, for ring buffer and map.)
 */
export const hazelcastXml = (major: 3 | 5, { clusterName, members }: HazelcastCluster): string =>
  fill("home/jtel/ClientMessenger/conf/hazelcast.xml", {
    major,
    three: major === 3,
    clusterName,
    members,
    password: `\${${passwordProperty}}`,
  });

/** What the step depends on: where the file comes from, and who is in the cluster. */
export type HazelcastStep = Hazelcast & {
  /** The chat servers, which are members of a rendered file. */
  chatServers: { address: string }[];
  /** The share with the cluster-wide hazelcast.xml and the vendor's release. */
  share: Share;
  /** Which release of ClientMessenger will load the file: `hold` keeps what is installed; others may come from the share. */
  release: string;
};

/** The file, judged by the Hazelcast that will load it, and the link `/acd-store/shared`. */
export const hazelcastDocument = (step: HazelcastStep): string => document(configFile(step), storeLink(step.share));

const configFile = (step: HazelcastStep): Section => ({
  kind: "files",
  name: hazelcastFile,
  fields: {
    ...(step.source === "share" ? copied(step.share) : rendered(step)),
    check: "hazelcast",
    jars: jarFolders(step),
    "loaded-by": unitName,
  },
});

const copied = ({ path, hosted }: Share) => ({ from: `${path}/hazelcast.xml`, mount: hosted ? undefined : path });

const rendered = ({ clusterName, members, chatServers }: HazelcastStep & { source: "render" }) => {
  const cluster = { clusterName, members: [...chatServers.map(({ address }) => address), ...members] };
  return { "content-3": hazelcastXml(3, cluster), "content-5": hazelcastXml(5, cluster) };
};

/** Where the Hazelcast lies that will load the file: a release that is not held is installed by a later step. */
const jarFolders = ({ share, release }: HazelcastStep): string[] => {
  const [installed, offered] = [`${home}/bin`, `${vendorFolder(share)}/bin`];
  return release === "hold" ? [installed, offered] : [offered, installed];
};

const storeLink = ({ path }: Share): Section => ({ kind: "files", name: "/acd-store/shared", fields: { link: path } });
