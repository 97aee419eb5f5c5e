package de.jtel.platform.clientmessenger;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.StreamSourceFrameChannel;
import io.undertow.websockets.core.WebSocketCallback;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/**
 * What one peer sends: a text frame is a message, a binary frame is an attachment.
 * Anything larger ends the session.
 */
final class FrameListener extends AbstractReceiveListener {
  private static final Logger LOG = System.getLogger(FrameListener.class.getName());
  private static final Gson GSON = new Gson();
  private static final int MAX_TEXT_FRAME = 16 * 1024;
  private static final int MAX_TEXT = 4000;
  private static final int MAX_ATTACHMENT = 1024 * 1024;
  private static final int TRY_AGAIN_LATER = 1013;

  private final Session session;
  private final Settings settings;
  private final Publisher publisher;

  /** The text frame; {@code chat} counts for agents only. */
  private record Frame(String chat, String text) {}

  FrameListener(Session session, Settings settings, Publisher publisher) {
    this.session = session;
    this.settings = settings;
    this.publisher = publisher;
  }

  // Undertow's buffer for text does not look at its limit once a frame comes in pieces: both kinds use the binary one.

  @Override
  protected void onText(WebSocketChannel channel, StreamSourceFrameChannel frame) {
    receive(frame, MAX_TEXT_FRAME, data -> message(new String(data, StandardCharsets.UTF_8)));
  }

  @Override
  protected void onBinary(WebSocketChannel channel, StreamSourceFrameChannel frame) {
    // DATADIR is usually a network mount: never write to it on a thread that serves other peers too.
    receive(frame, MAX_ATTACHMENT, data -> channel.getWorker().execute(() -> attachment(data)));
  }

  private void receive(StreamSourceFrameChannel frame, int limit, Consumer<byte[]> consumer) {
    new BufferedBinaryMessage(limit, true).read(frame, new WebSocketCallback<>() {
      @Override
      public void complete(WebSocketChannel channel, BufferedBinaryMessage message) {
        try (var data = message.getData()) {
          consumer.accept(WebSockets.mergeBuffers(data.getResource()).array());
        }
      }

      @Override
      public void onError(WebSocketChannel channel, BufferedBinaryMessage message, Throwable failure) {
        message.getData().close();
        FrameListener.this.onError(channel, failure);
      }
    });
  }

  private void message(String json) {
    try {
      Frame frame = parse(json);
      publish(ChatEvent.message(chatOf(frame), session.name(), session.role(), frame.text(), settings.server()));
    } catch (IllegalArgumentException e) {
      reject(e.getMessage());
    }
  }

  private void attachment(byte[] data) {
    if (session.chat().equals(Session.ALL_CHATS)) {
      reject("Expected an attachment in one chat, not in all of them");
      return;
    }
    String file = ChatEvent.newId();
    try {
      Files.write(settings.dataDirectory().resolve(file), data, StandardOpenOption.CREATE_NEW);
      publish(ChatEvent.attachment(session.chat(), session.name(), session.role(), file, settings.server()));
    } catch (IOException e) {
      LOG.log(Level.ERROR, "Attachment is not stored: {0}", e.toString());
      reject("The attachment could not be stored");
    }
  }

  private static Frame parse(String json) {
    try {
      Frame frame = GSON.fromJson(json, Frame.class);
      if (frame != null && frame.text() != null && !frame.text().isBlank() && frame.text().length() <= MAX_TEXT) {
        return frame;
      }
    } catch (JsonParseException e) {
      // Answered as any other frame that is not a message.
    }
    throw new IllegalArgumentException("Expected {\"text\":\"…\"} with 1 to " + MAX_TEXT + " characters");
  }

  private String chatOf(Frame frame) {
    String chat = session.role() == Role.AGENT && frame.chat() != null ? frame.chat() : session.chat();
    if (!Session.isChat(chat)) throw new IllegalArgumentException("Expected {\"chat\":\"ID\",…}");
    return chat;
  }

  private void publish(ChatEvent event) {
    try {
      publisher.publish(event);
    } catch (RejectedExecutionException e) {
      WebSockets.sendClose(TRY_AGAIN_LATER, "overloaded or stopping", session.channel(), null);
    }
  }

  private void reject(String reason) {
    JsonObject error = new JsonObject();
    error.addProperty("type", "error");
    error.addProperty("text", reason);
    Sessions.send(session.channel(), error.toString());
  }
}
