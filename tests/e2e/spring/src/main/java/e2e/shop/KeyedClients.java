package e2e.shop;

import java.util.List;

import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.AuthorizedClientServiceReactiveOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.InMemoryOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.InMemoryReactiveOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProvider;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.ReactiveOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.ReactiveOAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.endpoint.WebClientReactiveClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.registration.InMemoryReactiveClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;

/** Managers whose clients prove themselves by assertions. */
public final class KeyedClients {

    private KeyedClients() {}

    /** For use within a web request. */
    public static OAuth2AuthorizedClientManager inRequest(
            ClientRegistrationRepository registrations,
            OAuth2AuthorizedClientRepository authorized,
            NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> assertions) {
        var manager = new DefaultOAuth2AuthorizedClientManager(registrations, authorized);
        manager.setAuthorizedClientProvider(provider(assertions));
        return manager;
    }

    /** For use outside of web requests. */
    public static OAuth2AuthorizedClientManager outsideOfRequests(
            ClientRegistrationRepository registrations,
            NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> assertions) {
        var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(
                registrations, new InMemoryOAuth2AuthorizedClientService(registrations));
        manager.setAuthorizedClientProvider(provider(assertions));
        return manager;
    }

    private static OAuth2AuthorizedClientProvider provider(
            NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> assertions) {
        var tokens = new RestClientClientCredentialsTokenResponseClient();
        tokens.addParametersConverter(assertions);
        return OAuth2AuthorizedClientProviderBuilder.builder()
                .clientCredentials(grant -> grant.accessTokenResponseClient(tokens))
                .build();
    }

    /** For reactive code. */
    public static ReactiveOAuth2AuthorizedClientManager reactive(
            List<ClientRegistration> registrations,
            NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> assertions) {
        var tokens = new WebClientReactiveClientCredentialsTokenResponseClient();
        tokens.addParametersConverter(assertions);
        var repository = new InMemoryReactiveClientRegistrationRepository(registrations);
        var manager = new AuthorizedClientServiceReactiveOAuth2AuthorizedClientManager(
                repository, new InMemoryReactiveOAuth2AuthorizedClientService(repository));
        manager.setAuthorizedClientProvider(ReactiveOAuth2AuthorizedClientProviderBuilder.builder()
                .clientCredentials(grant -> grant.accessTokenResponseClient(tokens))
                .build());
        return manager;
    }
}
