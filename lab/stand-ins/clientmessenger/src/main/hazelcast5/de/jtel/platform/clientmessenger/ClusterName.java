package de.jtel.platform.clientmessenger;

import com.hazelcast.config.Config;

/** Hazelcast 4 and later name the cluster itself: {@code <cluster-name>}. */
final class ClusterName {
  private ClusterName() {}

  static String of(Config config) {
    return config.getClusterName();
  }
}
