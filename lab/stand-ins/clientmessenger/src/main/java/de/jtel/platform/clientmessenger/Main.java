package de.jtel.platform.clientmessenger;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/** Starts a chat server – database, cluster, port – and stops it in the opposite order on SIGTERM. */
public final class Main {
  /** What runs, last started first. */
  private final Deque<AutoCloseable> running = new ConcurrentLinkedDeque<>();

  private Main() {}

  /** Exits with 1 and a line that says why when the server cannot start. */
  public static void main(String[] args) {
    // The console handler of java.util.logging writes to standard error: one stream keeps the order.
    System.setErr(System.out);
    Main main = new Main();
    Runtime.getRuntime().addShutdownHook(new Thread(main::stop, "stop"));
    try {
      main.start(Settings.read());
    } catch (StartupException e) {
      System.out.println("ClientMessenger cannot start: " + e.getMessage());
      System.exit(1);
    } catch (RuntimeException e) {
      e.printStackTrace();
      System.exit(1);
    }
  }

  private void start(Settings settings) throws StartupException {
    Database database = keep(Database.connect(settings.connection()));
    Cluster cluster = keep(Cluster.join(settings.hazelcastConfig()));
    Publisher publisher = keep(new Publisher(database, cluster));
    Sessions sessions = new Sessions();
    ChatReader reader = keep(new ChatReader(cluster.chat(), sessions::forward));
    StatusPage status = new StatusPage(settings, cluster, sessions, database);
    ChatServer server =
        keep(new ChatServer(settings, new ChatEndpoint(settings, cluster, publisher, sessions), publisher, status));
    keep(sessions);
    reader.start();
    server.start();
    Logger log = System.getLogger(Main.class.getName());
    log.log(
        Level.INFO,
        "ClientMessenger ready on {0}, cluster {1} with {2} members",
        Integer.toString(settings.port()),
        cluster.name(),
        cluster.members().size());
  }

  private <T extends AutoCloseable> T keep(T part) {
    running.push(part);
    return part;
  }

  /** Prints instead of logging: java.util.logging has its own shutdown hook and may be closed already. */
  private void stop() {
    for (AutoCloseable part : running) {
      try {
        part.close();
      } catch (Exception e) {
        System.out.println("Stopping " + part.getClass().getSimpleName() + ": " + e);
      }
    }
    if (!running.isEmpty()) System.out.println("ClientMessenger stopped");
  }
}
