package de.jtel.platform.clientmessenger;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Takes events in: into the database, the counters and the ringbuffer, one after the other in their order. */
final class Publisher implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Publisher.class.getName());
  private static final int QUEUE_LENGTH = 1000;

  private final Database database;
  private final Cluster cluster;
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(QUEUE_LENGTH));

  Publisher(Database database, Cluster cluster) {
    this.database = database;
    this.cluster = cluster;
  }

  /**
   * The result is there when the event is in the ringbuffer.
   *
   * @throws java.util.concurrent.RejectedExecutionException when too many events wait
   */
  Future<?> publish(ChatEvent event) {
    return thread.submit(() -> process(event));
  }

  private void process(ChatEvent event) {
    if (event.isMessage()) {
      store(event);
      cluster.count(event.chat());
    }
    cluster.chat().add(event.toJson());
  }

  /** A chat goes on while the database is away. */
  private void store(ChatEvent event) {
    try {
      database.insert(event);
    } catch (SQLException e) {
      LOG.log(Level.ERROR, "Message {0} is not stored: {1}", event.id(), database.explain(e));
    }
  }

  @Override
  public void close() throws InterruptedException {
    thread.shutdown();
    if (!thread.awaitTermination(2, TimeUnit.SECONDS)) thread.shutdownNow();
  }
}
