package de.jtel.platform.clientmessenger;

import io.undertow.websockets.core.WebSocketChannel;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One open socket.
 *
 * @param chat the chat it takes part in; an agent may follow all of them, {@code *}
 */
record Session(WebSocketChannel channel, Role role, String chat, String name) {
  static final String ALL_CHATS = "*";
  private static final Pattern CHAT = Pattern.compile("[A-Za-z0-9._:+-]{1,64}");
  private static final int MAX_NAME = 64;

  /**
   * The session that the request's parameters ask for. A visitor without a chat opens a new one.
   *
   * @throws IllegalArgumentException with what was expected
   */
  static Session open(WebSocketChannel channel, Map<String, List<String>> parameters) {
    Role role = role(first(parameters, "role", "visitor"));
    String chat = first(parameters, "chat", role == Role.AGENT ? ALL_CHATS : ChatEvent.newId());
    if (!isChat(chat) && !(role == Role.AGENT && chat.equals(ALL_CHATS))) {
      throw new IllegalArgumentException("Expected chat=ID of letters, digits and . _ : + -");
    }
    if (role == Role.VISITOR && chat.startsWith(WhatsApp.PREFIX)) {
      throw new IllegalArgumentException("A visitor cannot open a WhatsApp chat");
    }
    String name = first(parameters, "name", role.label());
    if (name.length() > MAX_NAME) throw new IllegalArgumentException("Expected a name of at most 64 characters");
    return new Session(channel, role, chat, name);
  }

  static boolean isChat(String chat) {
    return CHAT.matcher(chat).matches();
  }

  boolean receives(ChatEvent event) {
    return chat.equals(ALL_CHATS) || chat.equals(event.chat());
  }

  private static Role role(String label) {
    return switch (label) {
      case "visitor" -> Role.VISITOR;
      case "agent" -> Role.AGENT;
      default -> throw new IllegalArgumentException("Expected role=visitor or role=agent");
    };
  }

  private static String first(Map<String, List<String>> parameters, String name, String otherwise) {
    List<String> values = parameters.getOrDefault(name, List.of());
    return values.isEmpty() || values.get(0).isBlank() ? otherwise : values.get(0);
  }
}
