import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Java's HttpClient as it comes: it offers HTTP/2 by an Upgrade header at each request over plain HTTP.
 *
 * <p>Arguments: the card API, its token, a sale; the chat API, the sender's token, a message; the WebSocket API with the
 * receiver's token. Writes a line for each answer: what was asked, the status, the body.
 */
public class Client {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static void main(String[] args) throws Exception {
    String sale = args[2];
    URI transactions = URI.create(args[0] + "/transactions");
    HttpRequest first = post(transactions, args[1], BodyPublishers.ofString(sale));
    tell("sale", CLIENT.send(first, BodyHandlers.ofString()));
    tell("the same sale", CLIENT.send(first, BodyHandlers.ofString()));
    HttpRequest.BodyPublisher chunks =
        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(sale.getBytes()));
    tell("sale in chunks", CLIENT.send(post(transactions, args[1], chunks), BodyHandlers.ofString()));
    tell("no token", CLIENT.send(post(transactions, "none", BodyPublishers.ofString(sale)), BodyHandlers.ofString()));

    List<CompletableFuture<HttpResponse<String>>> atOnce = new ArrayList<>();
    for (int count = 0; count < 10; count++) {
      atOnce.add(CLIENT.sendAsync(post(transactions, args[1], BodyPublishers.ofString(sale)), BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : atOnce) tell("sale at once", answer.get());

    BlockingQueue<String> frames = new LinkedBlockingQueue<>();
    WebSocket device = CLIENT.newWebSocketBuilder().buildAsync(URI.create(args[6]), new Frames(frames)).join();
    device.sendText("{\"action\":\"hello\"}", true).join();
    System.out.println("hello\t" + next(frames, "caught-up"));
    HttpRequest message = post(URI.create(args[3] + "/messages"), args[4], BodyPublishers.ofString(args[5]));
    tell("message", CLIENT.send(message, BodyHandlers.ofString()));
    System.out.println("pushed\t" + next(frames, "notification"));
    device.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
  }

  private static HttpRequest post(URI uri, String token, HttpRequest.BodyPublisher body) {
    return HttpRequest.newBuilder(uri)
        .header("authorization", "Bearer " + token)
        .header("content-type", "application/json")
        .header("idempotency-key", UUID.randomUUID().toString())
        .POST(body)
        .build();
  }

  private static void tell(String what, HttpResponse<String> response) {
    System.out.println(what + "\t" + response.statusCode() + "\t" + response.body());
  }

  private static String next(BlockingQueue<String> frames, String type) throws InterruptedException {
    for (;;) {
      String frame = frames.poll(60, TimeUnit.SECONDS);
      if (frame == null) return "nothing came";
      if (frame.contains("\"type\":\"" + type + "\"")) return frame;
    }
  }

  /** Puts whole frames into a queue. */
  private record Frames(BlockingQueue<String> frames, StringBuilder text) implements WebSocket.Listener {
    Frames(BlockingQueue<String> frames) {
      this(frames, new StringBuilder());
    }

    @Override
    public CompletionStage<?> onText(WebSocket device, CharSequence part, boolean isLast) {
      text.append(part);
      if (isLast) {
        frames.add(text.toString());
        text.setLength(0);
      }
      return WebSocket.Listener.super.onText(device, part, isLast);
    }
  }
}
