import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.jsonwebtoken.Header;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.ProtectedHeader;
import io.jsonwebtoken.security.Jwk;
import io.jsonwebtoken.security.Jwks;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.text.ParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Nimbus and jjwt as their documentation has them. A line for each token: library, token, verdict. */
public final class Verify {
    interface Verifier {
        void verify(String token) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        tell("nimbus", nimbus(), List.of(BadJOSEException.class, JOSEException.class, ParseException.class));
        tell("jjwt", jjwt(), List.of(JwtException.class));
    }

    /** Its page "How to validate an OAuth 2.0 JWT access token". */
    private static Verifier nimbus() throws Exception {
        JWKSource<SecurityContext> keys = JWKSourceBuilder.create(URI.create(System.getenv("JWKS_URI")).toURL()).build();
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, keys));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                System.getenv("AUDIENCE"),
                new JWTClaimsSet.Builder().issuer(System.getenv("ISSUER")).build(),
                Set.of("sub", "iat", "exp", "scope", "client_id", "jti")));
        return token -> processor.process(token, null);
    }

    private static Verifier jjwt() throws Exception {
        Map<String, Key> keys = new HashMap<>();
        String set = Files.readString(Path.of(System.getenv("JWKS")));
        for (Jwk<?> key : Jwks.setParser().build().parse(set).getKeys()) keys.put(key.getId(), key.toKey());
        JwtParser parser = Jwts.parser()
                .keyLocator((Header header) -> header instanceof ProtectedHeader it ? keys.get(it.getKeyId()) : null)
                .requireIssuer(System.getenv("ISSUER"))
                .requireAudience(System.getenv("AUDIENCE"))
                .build();
        return parser::parseSignedClaims;
    }

    private static void tell(String library, Verifier verifier, List<Class<?>> refusals) throws Exception {
        for (JsonNode entry : new ObjectMapper().readTree(Path.of(System.getenv("TOKENS")).toFile())) {
            String verdict = "accepted";
            try {
                verifier.verify(entry.get("access_token").asText());
            } catch (Exception error) {
                verdict = refusals.stream().anyMatch(it -> it.isInstance(error)) ? "refused" : "crashed";
            }
            System.out.println(library + "\t" + entry.get("name").asText() + "\t" + verdict);
        }
    }
}
