package de.jtel.platform.clientmessenger;

import com.google.gson.Gson;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.List;

/** {@code GET /status}. Only the stand-in has it: the lab and the tests look here, the product must not. */
final class StatusPage implements HttpHandler {
  private static final Gson GSON = new Gson();

  private record Status(
      String server, String cluster, List<String> members, int chats, int sessions, String database) {}

  private final Settings settings;
  private final Cluster cluster;
  private final Sessions sessions;
  private final Database database;

  StatusPage(Settings settings, Cluster cluster, Sessions sessions, Database database) {
    this.settings = settings;
    this.cluster = cluster;
    this.sessions = sessions;
    this.database = database;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) {
    Status status =
        new Status(
            settings.server(),
            cluster.name(),
            cluster.members(),
            cluster.chats(),
            sessions.count(),
            database.state());
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
    exchange.getResponseSender().send(GSON.toJson(status) + "\n");
  }
}
