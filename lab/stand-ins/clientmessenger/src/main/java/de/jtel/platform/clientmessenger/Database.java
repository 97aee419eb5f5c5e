package de.jtel.platform.clientmessenger;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** The table {@code ChatMessage}: one row for each message that this server took in. */
final class Database implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Database.class.getName());
  private static final int ATTEMPTS = 3;
  private static final long PAUSE_MILLIS = 500;
  private static final int VALIDATION_SECONDS = 2;

  private static final String CREATE =
      """
      CREATE TABLE IF NOT EXISTS ChatMessage (
        id CHAR(36) PRIMARY KEY,
        chat VARCHAR(80) NOT NULL,
        sender VARCHAR(80) NOT NULL,
        role VARCHAR(10) NOT NULL,
        text TEXT NOT NULL,
        attachment VARCHAR(80),
        server VARCHAR(80) NOT NULL,
        createdAt TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3)
      ) DEFAULT CHARACTER SET utf8mb4""";

  private static final String INSERT =
      "INSERT INTO ChatMessage (id, chat, sender, role, text, attachment, server) VALUES (?, ?, ?, ?, ?, ?, ?)";

  private final ConnectionUrl url;
  private Connection connection;

  private Database(ConnectionUrl url, Connection connection) {
    this.url = url;
    this.connection = connection;
  }

  /** Connects; a server that does not answer is asked again for a moment, a refusal is final. */
  static Database connect(ConnectionUrl url) throws StartupException {
    for (int attempt = 1; ; attempt++) {
      try {
        Database database = new Database(url, open(url));
        database.createTable();
        return database;
      } catch (SQLException e) {
        if (attempt == ATTEMPTS || ConnectionUrl.isAccessDenied(e)) {
          throw new StartupException("database " + url.explain(e));
        }
        pause();
      }
    }
  }

  synchronized void insert(ChatEvent message) throws SQLException {
    reconnectIfLost();
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setString(1, message.id());
      statement.setString(2, message.chat());
      statement.setString(3, message.from());
      statement.setString(4, message.role());
      statement.setString(5, message.text());
      statement.setString(6, message.attachment());
      statement.setString(7, message.server());
      statement.executeUpdate();
    }
  }

  /** {@code ok}, or why not. */
  synchronized String state() {
    try {
      reconnectIfLost();
      return "ok";
    } catch (SQLException e) {
      return url.explain(e);
    }
  }

  String explain(SQLException failure) {
    return url.explain(failure);
  }

  @Override
  public synchronized void close() throws SQLException {
    connection.close();
  }

  private void createTable() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(CREATE);
    }
  }

  private void reconnectIfLost() throws SQLException {
    if (connection.isValid(VALIDATION_SECONDS)) return;
    LOG.log(Level.WARNING, "Connection to the database was lost, connecting again");
    connection = open(url);
  }

  private static Connection open(ConnectionUrl url) throws SQLException {
    Properties limits = new Properties();
    limits.setProperty("connectTimeout", "1000");
    limits.setProperty("socketTimeout", "5000");
    return DriverManager.getConnection(url.reveal(), limits);
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
