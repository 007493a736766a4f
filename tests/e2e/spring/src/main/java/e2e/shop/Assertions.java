package e2e.shop;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;

/** How a client signs its assertions (`private_key_jwt`). */
public final class Assertions {

    private static final Path KEYS = Path.of(System.getenv("KEYS"));

    private Assertions() {}

    /** Spring's own: for the token endpoint, for a minute. */
    public static NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> stock() {
        JWK key = Keys.rsa(KEYS.resolve("rs256.pem"), JWSAlgorithm.RS256);
        return new NimbusJwtClientAuthenticationParametersConverter<>(client -> key);
    }

    /** For the issuer, for half a minute. */
    public static NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> forIssuer() {
        JWK key = Keys.rsa(KEYS.resolve("ps256.pem"), JWSAlgorithm.PS256);
        return forIssuer(key, System.getenv("ISSUER"));
    }

    private static NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest> forIssuer(
            JWK key, String issuer) {
        var assertions =
                new NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest>(client -> key);
        assertions.setJwtClientAssertionCustomizer(assertion -> assertion.getClaims()
                .audience(List.of(issuer))
                .expiresAt(Instant.now().plusSeconds(30)));
        return assertions;
    }
}
