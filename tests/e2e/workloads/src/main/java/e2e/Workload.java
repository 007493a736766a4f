package e2e;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.concurrent.Callable;

/** A workload whose platform keeps its token in a file; grantd takes each of its tokens once. */
final class Workload {

    static final Path FILE = Path.of(System.getenv("TOKEN_FILE"));
    static final String SUBJECT = "system:serviceaccount:shop:web-shop";
    /** No client of grantd: some libraries send no client_id, and whoever is a client would be served as himself. */
    private static final String STRANGER = "system:serviceaccount:shop:stranger";
    private static final String PLATFORM = System.getenv("PLATFORM");
    private static final String ISSUER = System.getenv("ISSUER");

    /** How long a token of the platform lives: Quarkus reads the file anew when that is over. */
    private static final int SECONDS = 4;
    private static final int ENOUGH = 60;
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private Workload() {}

    /** The client gets tokens by what the platform puts into the file, as long as that speaks of this workload. */
    static void tryOut(String name, Callable<String> client) throws Exception {
        replaceToken(SUBJECT, SECONDS);
        expectToken(client, name + ": a token by the file's assertion");
        // Another one, which it has not sent yet, may lie there still.
        expectRefusal(client, 2, name + ": nothing but a spent assertion, refused");
        expectToken(client, name + ": a token by the assertion that took its place");
        get(PLATFORM + "/rotate");
        expectToken(client, name + ": a token by an assertion of the platform's next key");
        replaceToken(STRANGER, ENOUGH);
        // Until the last one that the client may have kept is over, by any clock: grantd allows for ten seconds.
        Thread.sleep(Duration.ofSeconds(SECONDS + 12).toMillis());
        expectRefusal(client, 0, name + ": the assertion of another workload, refused");
    }

    /** As the platform's agent does: at once, so that no reader sees half a token. */
    static void replaceToken(String subject, int seconds) throws Exception {
        String query = "?sub=" + encoded(subject) + "&seconds=" + seconds;
        Path next = FILE.resolveSibling("token.next");
        Files.writeString(next, get(PLATFORM + "/token" + query));
        Files.move(next, FILE, StandardCopyOption.ATOMIC_MOVE);
    }

    /**
     * Before long: some clients keep an assertion until it expires, and new keys are fetched every ten seconds at most.
     * Meanwhile the platform's agent does its work.
     */
    private static void expectToken(Callable<String> client, String what) throws Exception {
        Instant end = Instant.now().plus(PATIENCE);
        while (true) {
            try {
                expectAccepted(client.call(), "web-shop");
                System.out.println(what);
                return;
            } catch (RuntimeException refusal) {
                if (Instant.now().isAfter(end)) {
                    throw new IllegalStateException("there was no token: " + what, refusal);
                }
                replaceToken(SUBJECT, SECONDS);
                Thread.sleep(PAUSE.toMillis());
            }
        }
    }

    /** Unless it gets a token, at most so many times. */
    private static void expectRefusal(Callable<String> client, int tokens, String what) throws Exception {
        for (int got = 0; got <= tokens; got++) {
            try {
                client.call();
            } catch (RuntimeException refusal) {
                expect(reasons(refusal).contains("invalid_client"), "refused for another reason: " + reasons(refusal));
                System.out.println(what);
                return;
            }
        }
        throw new AssertionError("there was a token: " + what);
    }

    /** The API sees whose token it is. */
    private static void expectAccepted(String token, String client) throws Exception {
        String credentials = Base64.getEncoder().encodeToString("pricing-api:pricing-e2e-secret".getBytes(StandardCharsets.UTF_8));
        String seen = post("/oauth2/introspect", "token=" + token, "Basic " + credentials);
        expect(seen.contains("\"active\":true") && seen.contains("\"client_id\":\"" + client + "\""), "the API saw " + seen);
    }

    private static String post(String path, String form, String authorization) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(ISSUER + path))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        return HTTP.send(request.build(), BodyHandlers.ofString()).body();
    }

    private static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static String get(String url) throws Exception {
        var answer = HTTP.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
        expect(answer.statusCode() == 200, url + " answers " + answer.statusCode());
        return answer.body();
    }

    private static String reasons(Throwable fault) {
        return fault == null ? "" : fault + "; " + reasons(fault.getCause());
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
