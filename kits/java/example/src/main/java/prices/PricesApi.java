package prices;

import java.util.Map;
import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A small API that grantd's tokens protect: {@code GET /prices} needs the scope pricing:read. */
@SpringBootApplication
@RestController
public class PricesApi {
    public static void main(String[] arguments) {
        SpringApplication.run(PricesApi.class, arguments);
    }

    @GetMapping("/prices")
    Map<String, Object> prices(JwtAuthenticationToken caller) {
        return Map.of("caller", caller.getToken().getClaimAsString("client_id"), "tea", 3);
    }

    @Bean
    SecurityFilterChain guarded(HttpSecurity http) throws Exception {
        return http.authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_pricing:read"))
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }

    /** By RFC 9068: Spring's default takes {@code typ: JWT} alone, and tokens without {@code exp}. */
    @Bean
    JwtDecoder decoder(
            @Value("${spring.security.oauth2.resourceserver.jwt.issuer-uri}") String issuer,
            @Value("${spring.security.oauth2.resourceserver.jwt.audiences}") String audience) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(issuer)
                .jwsAlgorithm(SignatureAlgorithm.ES256)
                .validateType(false)
                .build();
        // Any client: its scope says what it may do.
        var anyClient = new JwtClaimValidator<String>("client_id", Objects::nonNull);
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer(issuer)
                .audience(audience)
                .validators(validators -> validators.put("client_id", anyClient))
                .build());
        return decoder;
    }
}
