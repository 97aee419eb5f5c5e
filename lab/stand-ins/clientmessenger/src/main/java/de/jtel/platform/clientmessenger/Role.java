package de.jtel.platform.clientmessenger;

/** Who sits at the other end of a socket. */
enum Role {
  VISITOR,
  AGENT;

  /** As it is written in the protocol. */
  String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
