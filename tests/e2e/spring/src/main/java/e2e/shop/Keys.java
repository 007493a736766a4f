package e2e.shop;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.RSAPublicKeySpec;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.RSAKey;
import org.springframework.security.converter.RsaKeyConverters;

/** The private keys that tests/e2e/keys made, as Spring Security takes them. */
public final class Keys {

    private Keys() {}

    /** An RSA key by its file, for one algorithm, with the `kid` of the catalog's JWKS. */
    public static JWK rsa(Path file, JWSAlgorithm algorithm) {
        try (InputStream pem = Files.newInputStream(file)) {
            var key = (RSAPrivateCrtKey) RsaKeyConverters.pkcs8().convert(pem);
            return new RSAKey.Builder(publicKey(key.getModulus(), key.getPublicExponent()))
                    .privateKey(key)
                    .algorithm(algorithm)
                    .keyID(algorithm.getName().toLowerCase())
                    .build();
        } catch (IOException | GeneralSecurityException fault) {
            throw new IllegalStateException(fault);
        }
    }

    private static RSAPublicKey publicKey(BigInteger modulus, BigInteger exponent) throws GeneralSecurityException {
        var spec = new RSAPublicKeySpec(modulus, exponent);
        return (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(spec);
    }
}
