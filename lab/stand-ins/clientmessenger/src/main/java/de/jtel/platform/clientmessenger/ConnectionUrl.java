package de.jtel.platform.clientmessenger;

import java.sql.SQLException;
import java.util.Objects;

/** The JDBC URL. It holds the password, so it prints as its target only: {@code jdbc:mysql://acd-dbm/JTELWeb}. */
final class ConnectionUrl {
  private final String value;

  ConnectionUrl(String value) {
    this.value = Objects.requireNonNull(value);
  }

  String reveal() {
    return value;
  }

  @Override
  public String toString() {
    return value.replaceFirst("[?].*", "").replaceFirst("//.*@", "//");
  }

  /** Why connecting failed, in words of our own: the driver quotes the URL in some of its messages. */
  String explain(SQLException failure) {
    String state = Objects.requireNonNullElse(failure.getSQLState(), "");
    String reason =
        isAccessDenied(failure)
            ? "access denied, wrong user or password"
            : state.startsWith("08") ? "no answer from the database server" : "refused";
    return "%s: %s (%s, SQLState %s, code %d)"
        .formatted(this, reason, failure.getClass().getSimpleName(), state, failure.getErrorCode());
  }

  static boolean isAccessDenied(SQLException failure) {
    return "28000".equals(failure.getSQLState());
  }
}
