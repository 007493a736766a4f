package grantd.junit;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The process, and JSON over HTTP to it. */
final class Control {
    static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
            .build();
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;
    final Process process;

    /** At this URL; {@code process} is null where somebody else started it. */
    Control(String url, Process process) {
        this.url = url;
        this.process = process;
    }

    /** A {@code grantd dev} that ends with this process, even if that is killed: its standard input then closes. */
    static Control start(String... more) throws IOException, InterruptedException {
        String binary = System.getenv().getOrDefault("GRANTD_BIN", "grantd");
        Path ready = Files.createTempFile("grantd-", ".json");
        List<String> command = new ArrayList<>(List.of(binary, "dev", "--listen", "127.0.0.1:0"));
        command.addAll(List.of("--ready-file", ready.toString(), "--until-stdin-closes"));
        command.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.INHERIT);
        builder.environment().putIfAbsent("GRANTD_LOG", "warn");
        Process process = builder.start();
        while (ready.toFile().length() == 0) {
            if (!process.isAlive()) throw new IOException("grantd does not start; it says why on standard error");
            Thread.sleep(5);
        }
        Control control = new Control(JSON.readTree(ready.toFile()).get("control").asText(), process);
        Files.delete(ready);
        return control;
    }

    /** Asks the path below {@code /_test}; without a body where that is null. */
    JsonNode call(String method, String path, Object body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/_test" + path));
        if (body == null) return send(request.method(method, BodyPublishers.noBody()));
        String text = JSON.valueToTree(body).toString();
        return send(request.header("Content-Type", "application/json").method(method, BodyPublishers.ofString(text)));
    }

    /** As {@link #call}, read as this. */
    <T> T ask(String method, String path, Object body, Class<T> type) {
        return JSON.convertValue(call(method, path, body), type);
    }

    JsonNode send(HttpRequest.Builder request) {
        try {
            var answer = http.send(request.build(), BodyHandlers.ofString());
            if (answer.statusCode() < 300) return JSON.readTree(answer.body());
            throw new IllegalStateException("grantd answers " + answer.statusCode() + ": " + answer.body());
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException("grantd does not answer", error);
        }
    }

    /** As in a form or a query. */
    static String encoded(Map<String, String> members) {
        return members.entrySet().stream()
                .map(member -> encoded(member.getKey()) + "=" + encoded(member.getValue()))
                .collect(Collectors.joining("&"));
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
