package e2e;

import java.util.ArrayList;
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
import org.springframework.security.oauth2.client.ReactiveOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.web.client.RestClient;

import e2e.api.OrdersApi;
import e2e.shop.Assertions;
import e2e.shop.KeyedClients;
import e2e.shop.WebShop;

/** Starts both applications, lets one call the other, and fails where that does not end as it must. */
public final class Main {

    private static final String ISSUER = System.getenv("ISSUER");

    private Main() {}

    public static void main(String[] arguments) {
        try (var api = api(); var shop = shop()) {
            String url = url(api, "/whoami");
            var clients = shop.getBean(OAuth2AuthorizedClientManager.class);
            expectSeen(url, token(clients, "by-issuer-uri"), System.getenv("SPRING_ID"));
            expectSeen(url, token(clients, "with-every-character"), System.getenv("ASCII_ID"));
            expectRefusal(url);
            useKeys(url, shop);
        }
    }

    private static String url(ConfigurableApplicationContext application, String path) {
        return "http://127.0.0.1:" + application.getEnvironment().getProperty("local.server.port") + path;
    }

    /** Each manager, with Spring's own assertions and with those for the issuer. */
    private static void useKeys(String api, ConfigurableApplicationContext shop) {
        var registrations = shop.getBean(InMemoryClientRegistrationRepository.class);
        List<ClientRegistration> list = new ArrayList<>();
        registrations.forEach(list::add);
        var stock = KeyedClients.outsideOfRequests(registrations, Assertions.stock());
        var forIssuer = KeyedClients.outsideOfRequests(registrations, Assertions.forIssuer());
        var reactiveStock = KeyedClients.reactive(list, Assertions.stock());
        var reactiveForIssuer = KeyedClients.reactive(list, Assertions.forIssuer());
        String stockId = System.getenv("STOCK_SPRING_ID");
        String keyId = System.getenv("KEY_ID");

        System.out.println("private_key_jwt in web requests, outside of them, and in reactive code:");
        expectSeen(api, tokenOfRequest(shop, "with-key-stock"), stockId);
        expectSeen(api, tokenOfRequest(shop, "with-key"), keyId);
        expectSeen(api, token(stock, "with-key-stock"), stockId);
        expectSeen(api, token(forIssuer, "with-key"), keyId);
        expectSeen(api, token(reactiveStock, "with-key-stock"), stockId);
        expectSeen(api, token(reactiveForIssuer, "with-key"), keyId);
        expectNoToken(stock, "with-key");
    }

    private static String tokenOfRequest(ConfigurableApplicationContext shop, String registration) {
        return RestClient.create().get().uri(url(shop, "/token/" + registration)).retrieve().body(String.class);
    }

    /** What stock Spring sends is refused where the client is not registered for it. */
    private static void expectNoToken(OAuth2AuthorizedClientManager clients, String registration) {
        try {
            token(clients, registration);
        } catch (OAuth2AuthorizationException refusal) {
            expect(refusal.getMessage().contains("\"error\":\"invalid_client\""), "grantd said " + refusal);
            return;
        }
        throw new IllegalStateException("grantd took Spring's own assertion");
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
        settings.put("server.port", "0");
        settings.put("server.address", "127.0.0.1");
        settings.put("logging.level.root", "warn");
        // It warns of the HTTP client's threads, which end with the process.
        settings.put("logging.level.org.apache.catalina.loader", "error");
        settings.put("spring.main.banner-mode", "off");
        settings.put("spring.security.oauth2.client.provider.grantd.issuer-uri", ISSUER);
        register(settings, "by-issuer-uri", "SPRING");
        register(settings, "with-every-character", "ASCII");
        // This client has two audiences: a scope tells which.
        settings.put("spring.security.oauth2.client.registration.with-every-character.scope", "orders:read");
        register(settings, "with-key-stock", "STOCK_SPRING");
        register(settings, "with-key", "KEY");
        settings.put("spring.security.oauth2.client.registration.with-key.scope", "orders:read");
        return new SpringApplicationBuilder(WebShop.class)
                .web(WebApplicationType.SERVLET)
                .properties(settings)
                .run();
    }

    private static void register(Map<String, Object> settings, String registration, String variables) {
        String prefix = "spring.security.oauth2.client.registration." + registration + ".";
        settings.put(prefix + "provider", "grantd");
        settings.put(prefix + "authorization-grant-type", "client_credentials");
        settings.put(prefix + "client-id", System.getenv(variables + "_ID"));
        String secret = System.getenv(variables + "_SECRET");
        if (secret == null) {
            settings.put(prefix + "client-authentication-method", "private_key_jwt");
        } else {
            settings.put(prefix + "client-secret", secret);
        }
    }

    private static String token(OAuth2AuthorizedClientManager clients, String registration) {
        var request = OAuth2AuthorizeRequest.withClientRegistrationId(registration).principal("web-shop").build();
        return clients.authorize(request).getAccessToken().getTokenValue();
    }

    private static String token(ReactiveOAuth2AuthorizedClientManager clients, String registration) {
        var request = OAuth2AuthorizeRequest.withClientRegistrationId(registration).principal("web-shop").build();
        return clients.authorize(request).block().getAccessToken().getTokenValue();
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
