package grantd.junit;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A running grantd. Each method is a path of its control listener, which {@code GET /_test} describes. */
public final class Grantd implements AutoCloseable {
    private static Grantd shared;
    private final Control control;
    private final JsonNode page;

    private Grantd(Control control) {
        this.control = control;
        this.page = control.call("GET", "", null);
    }

    /** The one of this JVM: that of GRANTD_CONTROL, else one that the first who asks starts. It ends with the JVM. */
    public static synchronized Grantd shared() {
        String url = System.getenv().getOrDefault("GRANTD_CONTROL", "");
        if (shared == null) shared = url.isEmpty() ? start() : new Grantd(new Control(url, null));
        return shared;
    }

    /** A new one, with these arguments of {@code grantd dev}; for a test that moves the clock beside others. */
    public static Grantd start(String... arguments) {
        try {
            return new Grantd(Control.start(arguments));
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException("there is no grantd on the PATH, and GRANTD_BIN names none", error);
        }
    }

    @Override
    public void close() throws IOException {
        if (isOwn()) control.process.getOutputStream().close();
    }

    /** Whether no other process uses it. */
    public boolean isOwn() {
        return control.process != null;
    }

    /** Its URL, for GRANTD_CONTROL. */
    public String control() {
        return page.get("control").asText();
    }

    public String issuer() {
        return page.get("issuer").asText();
    }

    /** For example {@code token_endpoint}, {@code jwks_uri}. */
    public String endpoint(String name) {
        return page.get("endpoints").get(name).asText();
    }

    /** One of the catalog, with what grantd knows of it. */
    public Client knownClient(String id) {
        for (JsonNode card : control.call("GET", "", null).get("clients")) {
            if (card.get("client_id").asText().equals(id)) return Control.JSON.convertValue(card, Client.class);
        }
        throw new IllegalArgumentException("grantd has no client " + id);
    }

    /** An access token that the client, which has a secret or a key, gets from the token endpoint. */
    public String token(Client client, String audience, String scope) {
        var form = new LinkedHashMap<>(Map.of("grant_type", "client_credentials", "audience", audience, "scope", scope));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(client.tokenEndpoint()));
        if (client.privateJwk() != null) {
            JsonNode made = control.call("POST", "/assertions", Map.of("client_id", client.clientId()));
            form.put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            form.put("client_assertion", made.get("client_assertion").asText());
        } else {
            String pair = Control.encoded(client.clientId()) + ":" + Control.encoded(client.clientSecret());
            byte[] bytes = pair.getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(bytes));
        }
        request.header("Content-Type", "application/x-www-form-urlencoded");
        return control.send(request.POST(BodyPublishers.ofString(Control.encoded(form)))).get("access_token").asText();
    }

    /** Any token, signed by grantd's keys and asking no policy: claims, header, key, lifetime, flaw, … */
    public String mint(Map<String, ?> members) {
        return control.call("POST", "/tokens", members).get("access_token").asText();
    }

    /** The tokens for an audience; the query may have client_id, scope, binding, method, url, introspects. */
    public List<Case> battery(String audience, Map<String, String> query) {
        String path = "/tokens?audience=" + Control.encoded(audience) + "&" + Control.encoded(query);
        JsonNode lists = control.call("GET", path, null);
        lists.get("accept").forEach(it -> ((ObjectNode) it).put("must_accept", true));
        return Stream.of("accept", "refuse")
                .flatMap(list -> Control.JSON.convertValue(lists.get(list), new TypeReference<List<Case>>() {}).stream())
                .toList();
    }

    /**
     * Moves the clock of every rule: {@code ("advance", "61m")}, {@code ("set", "2026-12-31T23:59:50Z")},
     * {@code ("freeze", true)}. It is one for the process: a test that moves it beside others starts its own.
     */
    public Instant clock(String verb, Object value) {
        return Instant.ofEpochSecond(control.call("PUT", "/clock", Map.of(verb, value)).get("unix").asLong());
    }

    /** A new client, with the members of one in a catalog. Those left out are as of the first one there, with a secret. */
    public Client client(Map<String, ?> members) {
        return control.ask("POST", "/clients", members, Client.class);
    }

    /** {@code active} or {@code disabled}. */
    public void setStatus(Client client, String status) {
        control.call("PATCH", client.path(), Map.of("status", status));
    }

    public void delete(Client client) {
        control.call("DELETE", client.path(), null);
    }

    /**
     * Makes answers go wrong, and gives the id of that: {@code endpoint}, {@code client_id}, {@code status},
     * {@code times}, … A {@code client_id} keeps it away from other tests.
     */
    public int addFault(Map<String, ?> rule) {
        return control.call("POST", "/faults", rule).get("id").asInt();
    }

    public List<Fault> faults() {
        return List.of(control.ask("GET", "/faults", null, Fault[].class));
    }

    public void removeFault(int id) {
        control.call("DELETE", "/faults/" + id, null);
    }

    public void clearFaults() {
        control.call("DELETE", "/faults", null);
    }

    /** Those of the last 1,000 that fit, oldest first; {@code endpoint}, {@code client_id}, {@code outcome}, {@code after}. */
    public List<Request> requests(Map<String, String> which) {
        return List.of(control.ask("GET", "/requests?" + Control.encoded(which), null, Request[].class));
    }

    /** The first {@code count} of them, as soon as they have come; {@code within} such a time as 5s, or it throws. */
    public List<Request> awaitRequests(Map<String, ?> which) {
        return List.of(control.ask("POST", "/requests/await", which, Request[].class));
    }

    public Waste waste(Client client) {
        return control.ask("GET", client.path() + "/waste", null, Waste.class);
    }

    /** As at the start: clock, faults, requests, other issuers, clients, catalog, revocations. For tests one by one. */
    public void reset() {
        control.call("POST", "/reset", Map.of());
    }
}
