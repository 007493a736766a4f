package e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.HttpStatusCode;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.ReactiveOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.web.client.RestClient;

import e2e.shop.Assertions;
import e2e.shop.CertifiedClients;
import e2e.shop.KeyedClients;

/** Starts the applications, lets one call the other, and fails where that does not end as it must. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        try (var api = Applications.api(); var certifiedApi = Applications.certifiedApi(); var shop = Applications.shop()) {
            String url = Applications.url(api, "/whoami");
            var clients = shop.getBean(OAuth2AuthorizedClientManager.class);
            expectSeen(url, token(clients, "orders"), System.getenv("SPRING_ID"));
            expectSeen(url, token(clients, "with-every-character"), System.getenv("ASCII_ID"));
            expectRefusal(url);
            useKeys(url, shop);
            String certifiedUrl = Applications.url(certifiedApi, "/whoami").replace("http://127.0.0.1", "https://localhost");
            useCertificates(url, certifiedUrl, shop);
        }
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

    /** Its token is bound: the API takes it from a connection with that certificate alone, on default settings. */
    private static void useCertificates(String api, String certifiedApi, ConfigurableApplicationContext shop) {
        var registrations = shop.getBean(InMemoryClientRegistrationRepository.class);
        var bundles = shop.getBean(SslBundles.class);
        var right = bundles.getBundle("right");
        var wrong = bundles.getBundle("wrong");
        String id = System.getenv("MESH_SPRING_ID");

        System.out.println("mutual TLS:");
        String token = token(CertifiedClients.outsideOfRequests(registrations, right), "with-certificate");
        expectSeen(CertifiedClients.connecting(right).build(), certifiedApi, token, id);
        expectRefusal(CertifiedClients.connecting(wrong).build(), certifiedApi, token);
        expectRefusal(RestClient.create(), api, token);
        expectNoToken(CertifiedClients.outsideOfRequests(registrations, wrong), "with-certificate");
    }

    private static String tokenOfRequest(ConfigurableApplicationContext shop, String registration) {
        return RestClient.create().get().uri(Applications.url(shop, "/token/" + registration)).retrieve().body(String.class);
    }

    /** What stock Spring sends is refused where the client is not registered for it; so is another's certificate. */
    private static void expectNoToken(OAuth2AuthorizedClientManager clients, String registration) {
        try {
            token(clients, registration);
        } catch (OAuth2AuthorizationException refusal) {
            expect(refusal.getMessage().contains("\"error\":\"invalid_client\""), "grantd said " + refusal);
            return;
        }
        throw new IllegalStateException("grantd gave a token to " + registration);
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
        expectSeen(RestClient.create(), url, token, clientId);
    }

    private static void expectSeen(RestClient caller, String url, String token, String clientId) {
        Map<?, ?> answer = caller.get().uri(url)
                .headers(headers -> headers.setBearerAuth(token))
                .retrieve().body(Map.class);
        expect(answer.equals(Map.of("name", clientId, "scopes", List.of("SCOPE_orders:read"))), "the API saw " + answer);
        System.out.println("Spring Boot " + SpringBootVersion.getVersion() + ": the API saw " + answer);
    }

    private static void expectRefusal(String url) {
        HttpStatusCode status = RestClient.create().get().uri(url).exchange((sent, answer) -> answer.getStatusCode());
        expect(status.value() == 401, "without a token the API answered " + status);
    }

    private static void expectRefusal(RestClient thief, String url, String token) {
        HttpStatusCode status = thief.get().uri(url)
                .headers(headers -> headers.setBearerAuth(token))
                .exchange((sent, answer) -> answer.getStatusCode());
        expect(status.value() == 401, "without its certificate a token got " + status);
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
