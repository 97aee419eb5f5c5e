package de.jtel.platform.clientmessenger;

import com.hazelcast.config.Config;
import com.hazelcast.config.XmlConfigBuilder;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.ringbuffer.Ringbuffer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentMap;

/** This server's membership in the Hazelcast cluster: the ringbuffer {@code CHAT} and the map {@code CHATCOUNTERS}. */
final class Cluster implements AutoCloseable {
  static final String CHAT = "CHAT";
  private static final Logger LOG = System.getLogger(Cluster.class.getName());
  private static final String COUNTERS = "CHATCOUNTERS";

  private final HazelcastInstance hazelcast;
  private final Ringbuffer<String> chat;
  private final ConcurrentMap<String, Long> counters;

  private Cluster(HazelcastInstance hazelcast) {
    this.hazelcast = hazelcast;
    this.chat = hazelcast.getRingbuffer(CHAT);
    this.counters = hazelcast.getMap(COUNTERS);
  }

  /** Starts the member that {@code hazelcast.xml} describes. */
  static Cluster join(Path file) throws StartupException {
    Config config = load(file);
    warnUnlessConfigured(config.getRingbufferConfigs().containsKey(CHAT), file, "<ringbuffer name=\"CHAT\">");
    warnUnlessConfigured(config.getMapConfigs().containsKey(COUNTERS), file, "<map name=\"CHATCOUNTERS\">");
    defaults(config);
    try {
      return new Cluster(Hazelcast.newHazelcastInstance(config));
    } catch (RuntimeException e) {
      throw new StartupException("Hazelcast does not start with " + file + ": " + e.getMessage());
    }
  }

  private static Config load(Path file) throws StartupException {
    try (InputStream xml = Files.newInputStream(file)) {
      return new XmlConfigBuilder(xml).build();
    } catch (IOException e) {
      throw new StartupException("cannot read the Hazelcast configuration " + file);
    } catch (RuntimeException e) {
      throw new StartupException("invalid Hazelcast configuration " + file + ": " + e.getMessage());
    }
  }

  private static void warnUnlessConfigured(boolean configured, Path file, String element) {
    if (!configured) LOG.log(Level.WARNING, "{0} has no {1}: Hazelcast''s defaults are used", file, element);
  }

  private static void defaults(Config config) {
    // A shutdown hook of Hazelcast's own would race with ours and end the member before the sockets.
    config.setProperty("hazelcast.shutdownhook.enabled", "false");
    config.setProperty("hazelcast.phone.home.enabled", "false");
    // The default of 600 s waits for a member that is gone as well.
    config.getProperties().putIfAbsent("hazelcast.graceful.shutdown.max.wait", "3");
    // By default a member that joins waits 5 s for others that may join with it.
    config.getProperties().putIfAbsent("hazelcast.wait.seconds.before.join", "0");
  }

  String name() {
    return ClusterName.of(hazelcast.getConfig());
  }

  /** The addresses of all members, {@code 10.1.0.21:5701}. */
  List<String> members() {
    return hazelcast.getCluster().getMembers().stream()
        // No import: Member and Address are in other packages in each major release.
        .map(member -> member.getAddress())
        .map(address -> address.getHost() + ":" + address.getPort())
        .sorted()
        .toList();
  }

  /** Chats that had a message lately (the map forgets them after its time-to-live). */
  int chats() {
    return counters.size();
  }

  void count(String chatId) {
    counters.merge(chatId, 1L, Long::sum);
  }

  Ringbuffer<String> chat() {
    return chat;
  }

  @Override
  public void close() {
    hazelcast.shutdown();
  }
}
