package de.jtel.platform.clientmessenger;

import com.google.gson.JsonParseException;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import com.hazelcast.ringbuffer.Ringbuffer;
import com.hazelcast.ringbuffer.StaleSequenceException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.Consumer;

/** Follows the ringbuffer {@code CHAT} from now on and hands each event to the sockets of this server. */
final class ChatReader implements AutoCloseable {
  private static final Logger LOG = System.getLogger(ChatReader.class.getName());
  private static final long PAUSE_MILLIS = 500;

  private final Ringbuffer<String> chat;
  private final Consumer<ChatEvent> listener;
  private final Thread thread = new Thread(this::run, "chat-reader");
  private long sequence;

  ChatReader(Ringbuffer<String> chat, Consumer<ChatEvent> listener) {
    this.chat = chat;
    this.listener = listener;
    this.sequence = chat.tailSequence() + 1;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) readNext();
    } catch (InterruptedException | HazelcastInstanceNotActiveException e) {
      LOG.log(Level.DEBUG, "Reader ends");
    }
  }

  private void readNext() throws InterruptedException {
    try {
      ChatEvent event = ChatEvent.fromJson(chat.readOne(sequence));
      sequence++;
      listener.accept(event);
    } catch (StaleSequenceException e) {
      LOG.log(Level.WARNING, "{0} events were overwritten before they were read", e.getHeadSeq() - sequence);
      sequence = e.getHeadSeq();
    } catch (JsonParseException | ClassCastException e) {
      LOG.log(Level.WARNING, "Skipped an item that is not a chat event: {0}", e.getClass().getSimpleName());
      sequence++;
    } catch (HazelcastInstanceNotActiveException e) {
      throw e;
    } catch (RuntimeException e) {
      // After a merge of two clusters the ringbuffer may be another one, with lower sequences.
      LOG.log(Level.WARNING, "Reading CHAT failed, going on at its end: {0}", e.toString());
      Thread.sleep(PAUSE_MILLIS);
      sequence = chat.tailSequence() + 1;
    }
  }
}
