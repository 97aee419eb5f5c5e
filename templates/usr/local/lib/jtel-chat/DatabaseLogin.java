import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/**
 * Opens the connection of ClientMessenger to its database and closes it: {@code java -cp DRIVERS @ARGUMENTS DatabaseLogin.java PROPERTY},
 * with the JDBC URL in the system property PROPERTY.
 *
 * <p>Says one line: {@code login: ok}, or {@code login: SQLSTATE CODE CAUSE}. Never the driver's text, which may quote the URL.
 */
final class DatabaseLogin {
  public static void main(String[] arguments) {
    try (Connection connection = DriverManager.getConnection(System.getProperty(arguments[0]))) {
      say("ok");
    } catch (SQLException failure) {
      say(failure.getSQLState() + " " + failure.getErrorCode() + " " + cause(failure));
    } catch (RuntimeException failure) {
      say("null 0 " + cause(failure));
    }
  }

  /** The innermost cause's class; of two that say nothing by their class, what they mean. */
  private static String cause(Throwable failure) {
    String text = String.valueOf(failure.getMessage());
    if (text.contains("No suitable driver")) return "NoDriver";
    if (text.contains("Public Key Retrieval")) return "PublicKeyRetrieval";
    Throwable innermost = failure;
    while (innermost.getCause() != null) innermost = innermost.getCause();
    return innermost.getClass().getSimpleName();
  }

  private static void say(String result) {
    System.out.println("login: " + result);
  }
}
