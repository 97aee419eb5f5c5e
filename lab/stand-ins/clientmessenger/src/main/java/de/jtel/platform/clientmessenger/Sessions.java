package de.jtel.platform.clientmessenger;

import io.undertow.websockets.core.WebSocketCallback;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The open sockets of this server. */
final class Sessions implements AutoCloseable {
  private static final int GOING_AWAY = 1001;
  private static final long SEND_TIMEOUT_MILLIS = 10_000;
  private static final long CLOSE_TIMEOUT_MILLIS = 2_000;

  private final Set<Session> open = ConcurrentHashMap.newKeySet();

  void add(Session session) {
    open.add(session);
    session.channel().addCloseTask(channel -> open.remove(session));
  }

  int count() {
    return open.size();
  }

  void forward(ChatEvent event) {
    String json = event.toJson();
    for (Session session : open) {
      if (session.receives(event)) send(session.channel(), json);
    }
  }

  /** A peer that takes nothing for ten seconds is cut off, so that frames do not pile up. */
  static void send(WebSocketChannel channel, String json) {
    WebSockets.sendText(json, channel, null, SEND_TIMEOUT_MILLIS);
  }

  /** Tells every peer that the server goes away, and waits a moment until they have been told. */
  @Override
  public void close() throws InterruptedException {
    List<Session> remaining = List.copyOf(open);
    CountDownLatch told = new CountDownLatch(remaining.size());
    for (Session session : remaining) {
      WebSockets.sendClose(GOING_AWAY, "server stops", session.channel(), countingDown(told));
    }
    told.await(CLOSE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    awaitFarewells(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_TIMEOUT_MILLIS));
  }

  /** A process that ends with the peer's answer unread resets the connection, and the peer never sees 1001. */
  private void awaitFarewells(long deadline) throws InterruptedException {
    while (!open.isEmpty() && System.nanoTime() < deadline) Thread.sleep(10);
  }

  private static WebSocketCallback<Void> countingDown(CountDownLatch latch) {
    return new WebSocketCallback<>() {
      @Override
      public void complete(WebSocketChannel channel, Void context) {
        latch.countDown();
      }

      @Override
      public void onError(WebSocketChannel channel, Void context, Throwable failure) {
        latch.countDown();
      }
    };
  }
}
