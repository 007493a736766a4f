package e2e;

import java.security.PrivilegedExceptionAction;
import java.util.List;
import java.util.Map;

import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.LoginException;

import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.authenticator.LoginManager;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerRefreshingLogin;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerSaslClient;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerSaslClientCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerSaslServer;

/** A client logs in at grantd, and a broker takes its first SASL message, or refuses it. */
public final class Main {

    private static final String MECHANISM = OAuthBearerLoginModule.OAUTHBEARER_MECHANISM;

    private Main() {}

    public static void main(String[] arguments) {
        try {
            run();
            // Kafka's threads would keep the process alive.
            System.exit(0);
        } catch (Exception failure) {
            failure.printStackTrace();
            System.exit(1);
        }
    }

    private static void run() throws Exception {
        String issuer = System.getenv("DEMO_ISSUER");
        String other = System.getenv("ISSUER");
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", String.join(",", issuer + "/oauth2/token",
                issuer + "/oauth2/jwks", other + "/oauth2/token", other + "/oauth2/jwks"));

        byte[] message = firstMessage(Map.of());
        expectLogin("by secret", message, Map.of(), "orders-service");
        String keyId = System.getenv("KEY_ID");
        expectLogin("by key", firstMessage(withKey(other, keyId)), Map.of("sasl.oauthbearer.expected.issuer", other,
                "sasl.oauthbearer.jwks.endpoint.url", other + "/oauth2/jwks"), keyId);
        expectRefusal(message, "sasl.oauthbearer.expected.audience", "orders-api");
        expectRefusal(message, "sasl.oauthbearer.expected.issuer", issuer + "/other");
        expectNoLogin(Map.of("sasl.oauthbearer.client.credentials.client.secret", "a-wrong-secret-0123"));
    }

    /** Gets a token, and says it as SASL does. */
    private static byte[] firstMessage(Map<String, String> changed) throws Exception {
        Map<String, ?> settings = Settings.client(changed);
        LoginManager login = LoginManager.acquireLoginManager(
                JaasContext.loadClientContext(settings), MECHANISM, OAuthBearerRefreshingLogin.class, settings);
        try {
            var handler = new OAuthBearerSaslClientCallbackHandler();
            handler.configure(settings, MECHANISM, List.of());
            var client = new OAuthBearerSaslClient(handler);
            return Subject.doAs(login.subject(), (PrivilegedExceptionAction<byte[]>) () -> client.evaluateChallenge(new byte[0]));
        } finally {
            login.release();
        }
    }

    /** private_key_jwt: grantd wants a `jti`, which Kafka writes only when it is told to. */
    private static Map<String, String> withKey(String issuer, String clientId) {
        String key = System.getenv("KEYS") + "/es256.pem";
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.files", key);
        String prefix = "sasl.oauthbearer.assertion.";
        return Map.of(
                "sasl.oauthbearer.token.endpoint.url", issuer + "/oauth2/token",
                "sasl.oauthbearer.client.credentials.client.id", clientId,
                prefix + "algorithm", "ES256",
                prefix + "private.key.file", key,
                prefix + "claim.iss", clientId,
                prefix + "claim.sub", clientId,
                prefix + "claim.aud", issuer,
                prefix + "claim.jti.include", "true");
    }

    private static void expectLogin(String how, byte[] message, Map<String, String> changed, String client) throws Exception {
        String seen = brokersView(message, changed);
        expect(seen.equals(client), "the broker saw " + seen);
        System.out.println("kafka-clients: " + how + ", the broker saw " + seen);
    }

    private static void expectRefusal(byte[] message, String key, String value) throws Exception {
        try {
            brokersView(message, Map.of(key, value));
        } catch (SaslAuthenticationException refusal) {
            System.out.println("kafka-clients: refused by a broker with another " + key);
            return;
        }
        throw new IllegalStateException("a broker with another " + key + " took the token");
    }

    private static void expectNoLogin(Map<String, String> changed) throws Exception {
        try {
            firstMessage(changed);
        } catch (LoginException refusal) {
            expect(reasons(refusal).contains("invalid_client"), "the login failed for another reason: " + reasons(refusal));
            System.out.println("kafka-clients: a wrong secret, refused");
            return;
        }
        throw new IllegalStateException("grantd gave a token to a wrong secret");
    }

    private static String reasons(Throwable fault) {
        return fault == null ? "" : fault + "; " + reasons(fault.getCause());
    }

    /** The name that the broker gives to the connection. */
    private static String brokersView(byte[] message, Map<String, String> changed) throws Exception {
        Map<String, Object> settings = Settings.broker(changed);
        String handlerClass = (String) settings.get("sasl.server.callback.handler.class");
        var handler = (AuthenticateCallbackHandler) Class.forName(handlerClass).getConstructor().newInstance();
        var module = new AppConfigurationEntry(OAuthBearerLoginModule.class.getName(),
                AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, Map.of());
        handler.configure(settings, MECHANISM, List.of(module));
        try {
            var server = new OAuthBearerSaslServer(handler);
            byte[] challenge = server.evaluateResponse(message);
            if (!server.isComplete()) {
                // RFC 7628 section 3.2.3: the fault as JSON; the client's second message ends it.
                server.evaluateResponse(new byte[] {1});
                throw new IllegalStateException("the login is not complete: " + new String(challenge));
            }
            return server.getAuthorizationID();
        } finally {
            handler.close();
        }
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
