import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.XmlConfigBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What Hazelcast itself makes of a configuration, loaded as ClientMessenger loads it at its start:
 *
 * <pre>java -cp 'BIN/*' HazelcastCheck.java hazelcast.xml</pre>
 *
 * Prints lines {@code key: value} and ends with 0. What the library refuses ends with 3, its own words on standard output;
 * any other exit code says nothing about the file (no compiler, no Hazelcast in BIN).
 */
final class HazelcastCheck {
  private static final int REFUSED = 3;

  public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
    try (InputStream xml = Files.newInputStream(Path.of(arguments[0]))) {
      describe(new XmlConfigBuilder(xml).build());
    } catch (RuntimeException refusal) {
      System.out.println(refusal.getMessage());
      System.exit(REFUSED);
    }
  }

  private static void describe(Config config) throws ReflectiveOperationException {
    JoinConfig join = config.getNetworkConfig().getJoin();
    say("cluster", clusterName(config));
    say("port", config.getNetworkConfig().getPort());
    say("members", join.getTcpIpConfig().isEnabled() ? String.join(" ", join.getTcpIpConfig().getMembers()) : "not by tcp-ip");
    // What no pattern of the file matches gets the settings of "default".
    say("ringbuffer CHAT", !config.findRingbufferConfig("CHAT").getName().equals("default"));
    say("map CHATCOUNTERS", !config.findMapConfig("CHATCOUNTERS").getName().equals("default"));
  }

  /** Hazelcast 3 has groups, later releases name the cluster itself: neither compiles with the other. */
  private static Object clusterName(Config config) throws ReflectiveOperationException {
    try {
      return Config.class.getMethod("getClusterName").invoke(config);
    } catch (NoSuchMethodException hazelcast3) {
      Object group = Config.class.getMethod("getGroupConfig").invoke(config);
      return group.getClass().getMethod("getName").invoke(group);
    }
  }

  private static void say(String key, Object value) {
    System.out.println(key + ": " + value);
  }
}
