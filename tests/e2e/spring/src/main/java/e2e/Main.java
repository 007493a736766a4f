package e2e;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.HttpStatusCode;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.web.client.RestClient;

import e2e.api.OrdersApi;
import e2e.shop.WebShop;

/** Starts both applications, lets one call the other, and fails where that does not end as it must. */
public final class Main {

    private static final String ISSUER = System.getenv("ISSUER");

    private Main() {}

    public static void main(String[] arguments) {
        try (var api = api(); var shop = shop()) {
            String url = "http://127.0.0.1:" + api.getEnvironment().getProperty("local.server.port") + "/whoami";
            var clients = shop.getBean(OAuth2AuthorizedClientManager.class);
            expectSeen(url, token(clients, "by-issuer-uri"), System.getenv("SPRING_ID"));
            expectSeen(url, token(clients, "with-every-character"), System.getenv("ASCII_ID"));
            expectRefusal(url);
        }
    }

    private static ConfigurableApplicationContext api() {
        return new SpringApplicationBuilder(OrdersApi.class)
                .web(WebApplicationType.SERVLET)
                .properties(Map.of(
                        "server.port", "0",
                        "server.address", "127.0.0.1",
                        "logging.level.root", "warn",
                        "spring.main.banner-mode", "off",
                        "spring.security.oauth2.resourceserver.jwt.issuer-uri", ISSUER))
                .run();
    }

    private static ConfigurableApplicationContext shop() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("logging.level.root", "warn");
        settings.put("spring.main.banner-mode", "off");
        settings.put("spring.security.oauth2.client.provider.grantd.issuer-uri", ISSUER);
        register(settings, "by-issuer-uri", "SPRING");
        register(settings, "with-every-character", "ASCII");
        // This client has two audiences: a scope tells which.
        settings.put("spring.security.oauth2.client.registration.with-every-character.scope", "orders:read");
        return new SpringApplicationBuilder(WebShop.class).web(WebApplicationType.NONE).properties(settings).run();
    }

    private static void register(Map<String, Object> settings, String registration, String variables) {
        String prefix = "spring.security.oauth2.client.registration." + registration + ".";
        settings.put(prefix + "provider", "grantd");
        settings.put(prefix + "authorization-grant-type", "client_credentials");
        settings.put(prefix + "client-id", System.getenv(variables + "_ID"));
        settings.put(prefix + "client-secret", System.getenv(variables + "_SECRET"));
    }

    private static String token(OAuth2AuthorizedClientManager clients, String registration) {
        var request = OAuth2AuthorizeRequest.withClientRegistrationId(registration).principal("web-shop").build();
        return clients.authorize(request).getAccessToken().getTokenValue();
    }

    private static void expectSeen(String url, String token, String clientId) {
        Map<?, ?> answer = RestClient.create().get().uri(url)
                .headers(headers -> headers.setBearerAuth(token))
                .retrieve().body(Map.class);
        expect(answer.equals(Map.of("name", clientId, "scopes", List.of("SCOPE_orders:read"))), "the API saw " + answer);
        System.out.println("Spring Boot " + SpringBootVersion.getVersion() + ": the API saw " + answer);
    }

    private static void expectRefusal(String url) {
        HttpStatusCode status = RestClient.create().get().uri(url).exchange((sent, answer) -> answer.getStatusCode());
        expect(status.value() == 401, "without a token the API answered " + status);
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
