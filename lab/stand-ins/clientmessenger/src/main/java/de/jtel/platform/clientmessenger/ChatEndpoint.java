package de.jtel.platform.clientmessenger;

import com.google.gson.JsonObject;
import io.undertow.websockets.WebSocketConnectionCallback;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.spi.WebSocketHttpExchange;

/** {@code ws://host:3000/?role=…&chat=…&name=…}: the door through which visitors and agents come in. */
final class ChatEndpoint implements WebSocketConnectionCallback {
  private static final int POLICY_VIOLATION = 1008;

  private final Settings settings;
  private final Cluster cluster;
  private final Publisher publisher;
  private final Sessions sessions;

  ChatEndpoint(Settings settings, Cluster cluster, Publisher publisher, Sessions sessions) {
    this.settings = settings;
    this.cluster = cluster;
    this.publisher = publisher;
    this.sessions = sessions;
  }

  @Override
  public void onConnect(WebSocketHttpExchange exchange, WebSocketChannel channel) {
    try {
      Session session = Session.open(channel, exchange.getRequestParameters());
      channel.getReceiveSetter().set(new FrameListener(session, settings, publisher));
      sessions.add(session);
      Sessions.send(channel, welcome(session));
      channel.resumeReceives();
    } catch (IllegalArgumentException e) {
      WebSockets.sendClose(POLICY_VIOLATION, e.getMessage(), channel, null);
    }
  }

  private String welcome(Session session) {
    JsonObject welcome = new JsonObject();
    welcome.addProperty("type", "welcome");
    welcome.addProperty("server", settings.server());
    welcome.addProperty("members", cluster.members().size());
    welcome.addProperty("chat", session.chat());
    return welcome.toString();
  }
}
