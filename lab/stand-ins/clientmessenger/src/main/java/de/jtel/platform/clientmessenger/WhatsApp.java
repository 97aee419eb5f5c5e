package de.jtel.platform.clientmessenger;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.util.Objects;
import java.util.regex.Pattern;

/** TynTec's webhook bodies (Conversations API v2) as chat events. */
final class WhatsApp {
  static final String PREFIX = "whatsapp:";
  private static final Gson GSON = new Gson();
  private static final Pattern NUMBER = Pattern.compile("\\+?[0-9]{5,20}");
  private static final Pattern EVENT = Pattern.compile("[A-Za-z]{1,40}(::[A-Za-z]{1,40})?");
  private static final int MAX_TEXT = 4096;

  private record MoMessage(String event, String from, Content content) {}

  private record Content(String contentType, String text) {}

  private record StatusEvent(String event, String messageId, String to) {}

  private WhatsApp() {}

  /**
   * The body of {@code POST /incoming}:
   * {@code {"event":"MoMessage","from":"49…","content":{"contentType":"text","text":"…"}}}.
   *
   * @throws IllegalArgumentException when it is anything else
   */
  static ChatEvent incoming(String body, String server) {
    MoMessage message = parse(body, MoMessage.class);
    require("MoMessage".equals(message.event()), "event is not MoMessage");
    require(message.content() != null, "content is missing");
    String number = number(message.from(), "from");
    return ChatEvent.message(PREFIX + number, number, Role.VISITOR, text(message.content()), server);
  }

  /**
   * The body of {@code POST /delivery}: {@code {"event":"MessageStatus::seen","messageId":"…","to":"49…"}}.
   *
   * @throws IllegalArgumentException when it is anything else
   */
  static ChatEvent delivery(String body, String server) {
    StatusEvent status = parse(body, StatusEvent.class);
    require(status.event() != null && EVENT.matcher(status.event()).matches(), "event is missing");
    // Group events have no recipient; they reach the agents who follow all chats.
    String chat = status.to() == null ? null : PREFIX + number(status.to(), "to");
    return ChatEvent.delivery(chat, status.messageId(), status.event(), server);
  }

  /** Pictures, contacts and the like stand as their kind: the stand-in does not fetch them. */
  private static String text(Content content) {
    if (!"text".equals(content.contentType())) {
      return "[" + Objects.requireNonNullElse(content.contentType(), "unknown") + "]";
    }
    require(content.text() != null && content.text().length() <= MAX_TEXT, "content.text is missing or too long");
    return content.text();
  }

  private static String number(String value, String name) {
    require(value != null && NUMBER.matcher(value).matches(), name + " is not a phone number");
    return value.startsWith("+") ? value.substring(1) : value;
  }

  private static <T> T parse(String body, Class<T> type) {
    try {
      return Objects.requireNonNull(GSON.fromJson(body, type));
    } catch (JsonParseException | NullPointerException e) {
      throw new IllegalArgumentException("not a JSON object of the expected shape");
    }
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) throw new IllegalArgumentException(otherwise);
  }
}
