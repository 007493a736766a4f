package e2e;

import io.quarkus.oidc.client.OidcClient;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.inject.Inject;

/** The clients of Quarkus and Kafka, one after the other, each with the same file. */
@QuarkusMain
public final class Main implements QuarkusApplication {

    @Inject
    OidcClient quarkus;

    @Override
    public int run(String... arguments) throws Exception {
        try (var kafka = new Kafka()) {
            Workload.tryOut("Quarkus", () -> quarkus.getTokens().await().indefinitely().getAccessToken());
            Workload.tryOut("kafka-clients", kafka::token);
        }
        return 0;
    }
}
