package de.jtel.platform.clientmessenger;

import java.net.InetAddress;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the unit file says, checked.
 *
 * @param connection {@code -Dde.jtel.platform.clientmessenger.connection=}
 * @param hazelcastConfig {@code -Dhazelcast.config=}
 * @param dataDirectory {@code Environment=DATADIR=}, where attachments are stored
 * @param gui the folder {@code gui/} beside {@code bin/}
 * @param port {@code -Dclientmessenger.port=}, 3000 unless set
 * @param server {@code -Dclientmessenger.server=}, the host's name unless set
 */
record Settings(
    ConnectionUrl connection,
    Path hazelcastConfig,
    Path dataDirectory,
    Path gui,
    int port,
    String server) {

  private static final String CONNECTION = "de.jtel.platform.clientmessenger.connection";

  static Settings read() throws StartupException {
    ConnectionUrl connection = new ConnectionUrl(required(CONNECTION));
    // Nothing that prints the system properties shall find the password there.
    System.clearProperty(CONNECTION);
    return new Settings(
        connection,
        Path.of(required("hazelcast.config")),
        writableDirectory("DATADIR"),
        installation().resolve("gui"),
        port(System.getProperty("clientmessenger.port", "3000")),
        System.getProperty("clientmessenger.server", hostName()));
  }

  private static String required(String property) throws StartupException {
    String value = System.getProperty(property, "");
    if (value.isBlank()) throw new StartupException("-D" + property + "=… is not set");
    return value;
  }

  private static Path writableDirectory(String variable) throws StartupException {
    String value = System.getenv().getOrDefault(variable, "");
    if (value.isBlank()) throw new StartupException("the environment variable " + variable + " is not set");
    Path directory = Path.of(value);
    if (!Files.isDirectory(directory)) {
      throw new StartupException(variable + " " + directory + " is not a directory");
    }
    if (!Files.isWritable(directory)) {
      throw new StartupException(variable + " " + directory + " is not writable");
    }
    return directory;
  }

  private static int port(String value) throws StartupException {
    if (value.matches("[0-9]{1,5}")) {
      int port = Integer.parseInt(value);
      if (port > 0 && port < 65536) return port;
    }
    throw new StartupException("-Dclientmessenger.port=" + value + " is not a port");
  }

  /** The vendor's folder: the parent of {@code bin/clientmessenger.jar}. */
  private static Path installation() {
    try {
      Path jar = Path.of(Settings.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return jar.getParent().getParent();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String hostName() throws StartupException {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      throw new StartupException("the host's own name does not resolve: " + e.getMessage());
    }
  }
}
