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
