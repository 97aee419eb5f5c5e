package de.jtel.platform.clientmessenger;

/** Something that the server cannot run without is missing; the message says what and is safe to log. */
final class StartupException extends Exception {
  private static final long serialVersionUID = 1L;

  StartupException(String message) {
    super(message);
  }
}
