package e2e.shop;

import java.util.Map;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** A page of the shop for which it needs a token. */
@RestController
class Checkout {

    private final Map<String, OAuth2AuthorizedClientManager> clients;

    Checkout(ClientRegistrationRepository registrations, OAuth2AuthorizedClientRepository authorized) {
        clients = Map.of(
                "with-key-stock", KeyedClients.inRequest(registrations, authorized, Assertions.stock()),
                "with-key", KeyedClients.inRequest(registrations, authorized, Assertions.forIssuer()));
    }

    @GetMapping("/token/{registration}")
    String token(@PathVariable String registration, HttpServletRequest request, HttpServletResponse response) {
        var wanted = OAuth2AuthorizeRequest.withClientRegistrationId(registration)
                .principal("web-shop")
                .attribute(HttpServletRequest.class.getName(), request)
                .attribute(HttpServletResponse.class.getName(), response)
                .build();
        return clients.get(registration).authorize(wanted).getAccessToken().getTokenValue();
    }
}
