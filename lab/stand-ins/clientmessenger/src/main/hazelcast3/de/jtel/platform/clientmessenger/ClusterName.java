package de.jtel.platform.clientmessenger;

import com.hazelcast.config.Config;

/** Hazelcast 3 has groups: {@code <group><name>}. */
final class ClusterName {
  private ClusterName() {}

  static String of(Config config) {
    return config.getGroupConfig().getName();
  }
}
