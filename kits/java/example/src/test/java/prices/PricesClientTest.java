package prices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpServer;
import grantd.junit.Client;
import grantd.junit.Grantd;
import grantd.junit.GrantdExtension;
import grantd.junit.Request;
import jakarta.servlet.Filter;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.client.HttpClientErrorException;

/** How a client should behave when its token expires or is refused, or when it cannot have one. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@ExtendWith(GrantdExtension.class)
class PricesClientTest {
    static final AtomicInteger CALLS = new AtomicInteger();
    Grantd grantd = Grantd.shared();
    Client client;
    PricesClient prices;
    String url;

    @DynamicPropertySource
    static void issuer(DynamicPropertyRegistry settings) {
        settings.add("spring.security.oauth2.resourceserver.jwt.issuer-uri", () -> Grantd.shared().issuer());
    }

    @TestConfiguration
    static class Counting {
        @Bean
        FilterRegistrationBean<Filter> counts() {
            var counts = new FilterRegistrationBean<Filter>((request, response, chain) -> {
                CALLS.incrementAndGet();
                chain.doFilter(request, response);
            });
            counts.setOrder(Ordered.HIGHEST_PRECEDENCE);
            return counts;
        }
    }

    /** A client for each test, so that tests beside each other don't meet. */
    @BeforeEach
    void register(@LocalServerPort int port) {
        client = grantd.client(Map.of("policy", List.of(Map.of("audience", "pricing-api", "scopes", List.of("pricing:read")))));
        prices = new PricesClient(ClientRegistration.withRegistrationId("prices")
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .tokenUri(client.tokenEndpoint())
                .clientId(client.clientId())
                .clientSecret(client.clientSecret())
                .scope("pricing:read")
                .build());
        url = "http://localhost:" + port + "/prices";
        CALLS.set(0);
    }

    @AfterEach
    void remove() {
        grantd.delete(client);
    }

    @Test
    void aTokenIsUsedWhileTheTokenEndpointIsDown() {
        prices.prices(url);
        grantd.addFault(Map.of("endpoint", "token", "client_id", client.clientId(), "status", 503));
        prices.prices(url);
        assertEquals(List.of("issued"), outcomes());
        assertEquals(0, grantd.waste(client).wasted());
    }

    @Test
    void withoutATokenItDoesNotCall() {
        int fault = grantd.addFault(Map.of("endpoint", "token", "client_id", client.clientId(), "status", 503));
        assertThrows(OAuth2AuthorizationException.class, () -> prices.prices(url));
        assertEquals(0, CALLS.get());
        grantd.removeFault(fault);
        prices.prices(url);
    }

    @Test
    void aHundredCallersAtExpiryAskForOneToken() throws Exception {
        nextToken(Map.of(), 30);
        prices.prices(url);
        var callers = Executors.newFixedThreadPool(100);
        Callable<String> call = () -> prices.prices(url);
        for (Future<String> answer : callers.invokeAll(Collections.nCopies(100, call))) answer.get();
        callers.shutdown();
        assertEquals(List.of("fault", "issued"), outcomes());
    }

    @Test
    void afterA401ItTriesOnceMoreWithAFreshToken() {
        nextToken(Map.of("issuer", "staging"), 300);
        prices.prices(url);
        assertEquals(2, CALLS.get());
        assertEquals(List.of("fault", "issued"), outcomes());
    }

    @Test
    void anApiThatAlwaysRefusesIsAskedTwice() throws Exception {
        var strict = HttpServer.create(new InetSocketAddress("localhost", 0), 0);
        strict.createContext("/", exchange -> {
            CALLS.incrementAndGet();
            exchange.sendResponseHeaders(401, -1);
            exchange.close();
        });
        strict.start();
        String refused = "http://localhost:" + strict.getAddress().getPort() + "/prices";
        assertThrows(HttpClientErrorException.Unauthorized.class, () -> prices.prices(refused));
        strict.stop(0);
        assertEquals(2, CALLS.get());
        assertEquals(List.of("issued", "issued"), outcomes());
    }

    /** What the client gets next is a token with these members, which is said to expire in so many seconds. */
    void nextToken(Map<String, String> members, int seconds) {
        var wanted = new HashMap<>(members);
        wanted.putAll(Map.of("client_id", client.clientId(), "audience", "pricing-api", "scope", "pricing:read"));
        var body = Map.of("access_token", grantd.mint(wanted), "token_type", "Bearer", "expires_in", seconds);
        grantd.addFault(Map.of(
                "endpoint", "token", "client_id", client.clientId(), "times", 1, "status", 200, "body", body));
    }

    /** What became of its requests for tokens. */
    List<String> outcomes() {
        var requests = grantd.requests(Map.of("endpoint", "token", "client_id", client.clientId()));
        return requests.stream().map(Request::outcome).toList();
    }
}
