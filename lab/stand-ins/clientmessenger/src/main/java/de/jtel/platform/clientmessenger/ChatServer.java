package de.jtel.platform.clientmessenger;

import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.server.handlers.PathHandler;
import io.undertow.server.handlers.ResponseCodeHandler;
import io.undertow.server.handlers.resource.PathResourceManager;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import java.net.BindException;

/** The one port: WebSocket, the page below {@code /gui/}, and TynTec's webhooks. */
final class ChatServer implements AutoCloseable {
  private static final long MAX_BODY = 64L * 1024;
  private static final int IO_THREADS = 2;
  private static final int WORKER_THREADS = 4;

  private final int port;
  private final Undertow undertow;
  private final HttpHandler chat;
  private final HttpHandler gui;
  private final HttpHandler incoming;
  private final HttpHandler delivery;
  private final HttpHandler status;

  ChatServer(Settings settings, ChatEndpoint endpoint, Publisher publisher, StatusPage statusPage) {
    port = settings.port();
    chat = new WebSocketProtocolHandshakeHandler(endpoint, ResponseCodeHandler.HANDLE_404);
    gui = new PathHandler().addPrefixPath("/gui", Handlers.resource(new PathResourceManager(settings.gui())));
    incoming = new BlockingHandler(new Webhook(body -> WhatsApp.incoming(body, settings.server()), publisher));
    delivery = new BlockingHandler(new Webhook(body -> WhatsApp.delivery(body, settings.server()), publisher));
    status = new BlockingHandler(statusPage);
    undertow =
        Undertow.builder()
            .addHttpListener(port, "0.0.0.0", this::route)
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, MAX_BODY)
            .setIoThreads(IO_THREADS)
            .setWorkerThreads(WORKER_THREADS)
            .setDirectBuffers(false)
            .build();
  }

  void start() throws StartupException {
    try {
      undertow.start();
    } catch (RuntimeException e) {
      if (e.getCause() instanceof BindException) {
        throw new StartupException("port " + port + " is in use by another program");
      }
      throw e;
    }
  }

  private void route(HttpServerExchange exchange) throws Exception {
    handler(exchange.getRequestMethod().toString(), exchange.getRequestPath()).handleRequest(exchange);
  }

  private HttpHandler handler(String method, String path) {
    return switch (method + " " + path) {
      case "GET /" -> chat;
      case "GET /gui" -> Handlers.redirect("/gui/");
      case "GET /status" -> status;
      case "POST /incoming" -> incoming;
      case "POST /delivery" -> delivery;
      default -> method.equals("GET") && path.startsWith("/gui/") ? gui : ResponseCodeHandler.HANDLE_404;
    };
  }

  @Override
  public void close() {
    undertow.stop();
  }
}
