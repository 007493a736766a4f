package prices;

import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.InMemoryOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.client.OAuth2ClientHttpRequestInterceptor;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClient;

/**
 * A client of the API that asks for a token as seldom as it can, and never calls without one. Spring Security gets and
 * keeps the token, renews it a minute before it expires, and forgets it once an API refuses it. What Spring lacks is
 * here: of many callers at expiry one asks, and a call whose token was refused is made once more.
 */
public final class PricesClient {
    /** The tokens are of the service, whichever user it serves. */
    private static final Authentication SERVICE =
            new AnonymousAuthenticationToken("service", "service", AuthorityUtils.createAuthorityList("ROLE_SERVICE"));

    private final RestClient http;

    public PricesClient(ClientRegistration registration) {
        var registrations = new InMemoryClientRegistrationRepository(registration);
        var kept = new InMemoryOAuth2AuthorizedClientService(registrations);
        var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(registrations, kept);
        var token = new OAuth2ClientHttpRequestInterceptor(new OneAtATime(manager));
        token.setClientRegistrationIdResolver(request -> registration.getRegistrationId());
        token.setPrincipalResolver(request -> SERVICE);
        token.setAuthorizationFailureHandler(OAuth2ClientHttpRequestInterceptor.authorizationFailureHandler(kept));
        http = RestClient.builder().requestInterceptor(token).build();
    }

    public String prices(String url) {
        try {
            return get(url);
        } catch (HttpClientErrorException.Unauthorized refused) {
            // The key of the token may have been retired.
            return get(url);
        }
    }

    private String get(String url) {
        return http.get().uri(url).retrieve().body(String.class);
    }

    /** Whoever comes second finds what the first one got. */
    private record OneAtATime(OAuth2AuthorizedClientManager manager) implements OAuth2AuthorizedClientManager {
        @Override
        public synchronized OAuth2AuthorizedClient authorize(OAuth2AuthorizeRequest request) {
            return manager.authorize(request);
        }
    }
}
