package grantd.junit;

import java.util.Map;

/** A client with all that it proves itself with. */
public record Client(
        String clientId, String clientSecret, String tokenEndpoint, Map<String, Object> privateJwk, String certificatePem,
        String privateKeyPem, String curl) {

    String path() {
        return "/clients/" + Control.encoded(clientId).replace("+", "%20");
    }
}
