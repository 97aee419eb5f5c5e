package de.jtel.platform.clientmessenger;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.util.UUID;

/**
 * One item of the ringbuffer {@code CHAT}, and one frame to a socket. Fields that are null are left out.
 *
 * @param type {@code message} or {@code delivery}
 * @param chat the chat it belongs to; a WhatsApp chat is {@code whatsapp:} and the number
 * @param from the name or number of the sender
 * @param role {@code visitor} or {@code agent}
 * @param attachment the file below {@code DATADIR}
 * @param status of a delivery: what TynTec reports, e.g. {@code MessageStatus::seen}
 * @param server the chat server that took it in
 */
record ChatEvent(
    String type,
    String id,
    String chat,
    String from,
    String role,
    String text,
    String attachment,
    String status,
    String server) {

  private static final Gson GSON = new Gson();

  static ChatEvent message(String chat, String from, Role role, String text, String server) {
    return new ChatEvent("message", newId(), chat, from, role.label(), text, null, null, server);
  }

  static ChatEvent attachment(String chat, String from, Role role, String file, String server) {
    return new ChatEvent("message", newId(), chat, from, role.label(), "", file, null, server);
  }

  static ChatEvent delivery(String chat, String messageId, String status, String server) {
    return new ChatEvent("delivery", messageId, chat, null, null, null, null, status, server);
  }

  static String newId() {
    return UUID.randomUUID().toString();
  }

  static ChatEvent fromJson(String json) throws JsonParseException {
    return GSON.fromJson(json, ChatEvent.class);
  }

  String toJson() {
    return GSON.toJson(this);
  }

  boolean isMessage() {
    return "message".equals(type);
  }
}
