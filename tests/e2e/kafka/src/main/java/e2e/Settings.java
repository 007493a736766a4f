package e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SaslConfigs;

/** The settings of client and broker, as docs/verify.md shows them, for the server of this run. */
final class Settings {

    private static final String SERVER_OF_THE_PAGE = "http://localhost:8080";
    private static final String LISTENER = "listener.name.sasl_ssl.oauthbearer.";

    private Settings() {}

    /** As Kafka's own clients read them. */
    static Map<String, ?> client(Map<String, String> changed) throws IOException {
        Map<String, Object> settings = new HashMap<>(read("client.properties"));
        settings.put("bootstrap.servers", "localhost:9092");
        settings.putAll(changed);
        return new AdminClientConfig(settings).values();
    }

    /** What is for the listener stands in the place of what is for all, as in a broker. */
    static Map<String, Object> broker(Map<String, String> changed) throws IOException {
        Map<String, String> settings = new HashMap<>();
        read("broker.properties").forEach((key, value) -> settings.put(key.replace(LISTENER, ""), value));
        settings.putAll(changed);
        ConfigDef known = new ConfigDef();
        SaslConfigs.addClientSaslSupport(known);
        Map<String, Object> parsed = new HashMap<>(known.parse(settings));
        parsed.put("sasl.server.callback.handler.class", settings.get("sasl.server.callback.handler.class"));
        return parsed;
    }

    private static Map<String, String> read(String file) throws IOException {
        Properties properties = new Properties();
        try (var text = Files.newBufferedReader(Path.of(file))) {
            properties.load(text);
        }
        Map<String, String> settings = new HashMap<>();
        for (String key : properties.stringPropertyNames()) {
            settings.put(key, properties.getProperty(key).replace(SERVER_OF_THE_PAGE, System.getenv("DEMO_ISSUER")));
        }
        return settings;
    }
}
