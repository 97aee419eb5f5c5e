package de.jtel.platform.clientmessenger;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.RequestTooBigException;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * {@code POST /incoming} and {@code POST /delivery}: 200 once the event is in the cluster,
 * so that TynTec sends it again otherwise.
 */
final class Webhook implements HttpHandler {
  private static final long PUBLISH_SECONDS = 5;

  private final Function<String, ChatEvent> eventOf;
  private final Publisher publisher;

  Webhook(Function<String, ChatEvent> eventOf, Publisher publisher) {
    this.eventOf = eventOf;
    this.publisher = publisher;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws IOException, InterruptedException {
    try {
      publisher.publish(eventOf.apply(body(exchange))).get(PUBLISH_SECONDS, TimeUnit.SECONDS);
      exchange.endExchange();
    } catch (RequestTooBigException e) {
      answer(exchange, StatusCodes.REQUEST_ENTITY_TOO_LARGE, "too large");
    } catch (IllegalArgumentException e) {
      answer(exchange, StatusCodes.BAD_REQUEST, e.getMessage());
    } catch (RejectedExecutionException | ExecutionException | TimeoutException e) {
      answer(exchange, StatusCodes.SERVICE_UNAVAILABLE, "not published");
    }
  }

  private static String body(HttpServerExchange exchange) throws IOException {
    return new String(exchange.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static void answer(HttpServerExchange exchange, int status, String text) {
    exchange.setStatusCode(status).getResponseSender().send(text + "\n");
  }
}
