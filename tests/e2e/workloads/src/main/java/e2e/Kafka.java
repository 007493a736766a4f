package e2e;

import java.util.List;
import java.util.Map;

import javax.security.auth.login.AppConfigurationEntry;

import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.security.oauthbearer.ClientCredentialsJwtRetriever;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;

/** What a Kafka client gets its token by. */
final class Kafka implements AutoCloseable {

    private final ClientCredentialsJwtRetriever retriever = new ClientCredentialsJwtRetriever();

    Kafka() {
        String endpoint = System.getenv("ISSUER") + "/oauth2/token";
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", endpoint);
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.files", Workload.FILE.toString());
        var settings = new AdminClientConfig(Map.of(
                "bootstrap.servers", "localhost:9092",
                "sasl.oauthbearer.token.endpoint.url", endpoint,
                "sasl.oauthbearer.client.credentials.client.id", "web-shop",
                "sasl.oauthbearer.assertion.file", Workload.FILE.toString(),
                "sasl.oauthbearer.scope", "pricing:read",
                // A refusal is final: nothing is gained by asking again.
                "sasl.login.retry.backoff.max.ms", "200"));
        var module = new AppConfigurationEntry(OAuthBearerLoginModule.class.getName(),
                AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, Map.of());
        retriever.configure(settings.values(), OAuthBearerLoginModule.OAUTHBEARER_MECHANISM, List.of(module));
    }

    String token() {
        return retriever.retrieve();
    }

    @Override
    public void close() throws Exception {
        retriever.close();
    }
}
