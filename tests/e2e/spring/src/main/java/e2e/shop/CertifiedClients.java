package e2e.shop;

import java.net.http.HttpClient;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.converter.FormHttpMessageConverter;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.InMemoryOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.http.OAuth2ErrorResponseErrorHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.core.http.converter.OAuth2AccessTokenResponseHttpMessageConverter;
import org.springframework.web.client.RestClient;

/** A manager whose clients prove themselves by the certificate of an SSL bundle. */
public final class CertifiedClients {

    private CertifiedClients() {}

    /** For use outside of web requests. */
    public static OAuth2AuthorizedClientManager outsideOfRequests(
            ClientRegistrationRepository registrations, SslBundle bundle) {
        var tokens = new RestClientClientCredentialsTokenResponseClient();
        // The converters and the handler are those that Spring Security takes by itself.
        tokens.setRestClient(connecting(bundle)
                .messageConverters(converters -> {
                    converters.clear();
                    converters.add(new FormHttpMessageConverter());
                    converters.add(new OAuth2AccessTokenResponseHttpMessageConverter());
                })
                .defaultStatusHandler(new OAuth2ErrorResponseErrorHandler())
                .build());
        var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(
                registrations, new InMemoryOAuth2AuthorizedClientService(registrations));
        manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder()
                .clientCredentials(grant -> grant.accessTokenResponseClient(tokens))
                .build());
        return manager;
    }

    /** Calls with the bundle's certificate, and trusts whom it names. */
    public static RestClient.Builder connecting(SslBundle bundle) {
        var connections = HttpClient.newBuilder().sslContext(bundle.createSslContext()).build();
        return RestClient.builder().requestFactory(new JdkClientHttpRequestFactory(connections));
    }
}
