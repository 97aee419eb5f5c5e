import com.hazelcast.core.Hazelcast;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.DriverManager;
import java.util.Base64;

/** A ClientMessenger of Java 8's time, as far as its start shows it: a login, a member of the cluster, a WebSocket. */
public final class OldMessenger {
  private OldMessenger() {}

  public static void main(String[] args) throws Exception {
    DriverManager.getConnection(System.getProperty("de.jtel.platform.clientmessenger.connection"));
    Hazelcast.newHazelcastInstance();
    try (ServerSocket server = new ServerSocket(3000)) {
      while (true) {
        try (Socket visitor = server.accept()) {
          answer(visitor);
        } catch (IOException e) {
          System.out.println(e); // this visitor is gone, the next one comes
        }
      }
    }
  }

  private static void answer(Socket visitor) throws Exception {
    BufferedReader request =
        new BufferedReader(new InputStreamReader(visitor.getInputStream(), StandardCharsets.US_ASCII));
    String key = "";
    for (String line = request.readLine(); line != null && !line.isEmpty(); line = request.readLine())
      if (line.startsWith("Sec-WebSocket-Key: ")) key = line.substring(19).trim();
    byte[] accepted = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.US_ASCII);
    String accept = Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1").digest(accepted));
    String upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    String answer = upgrade + "Sec-WebSocket-Accept: " + accept + "\r\n\r\n";
    visitor.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
  }
}
