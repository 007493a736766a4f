package e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.ClassPathResource;

import e2e.api.OrdersApi;
import e2e.shop.WebShop;

/** The applications and their settings. */
final class Applications {

    private static final String ISSUER = System.getenv("ISSUER");

    private Applications() {}

    static String url(ConfigurableApplicationContext application, String path) {
        return "http://127.0.0.1:" + application.getEnvironment().getProperty("local.server.port") + path;
    }

    static ConfigurableApplicationContext api() {
        return api(Map.of());
    }

    /** The same, where callers need a certificate. */
    static ConfigurableApplicationContext certifiedApi() {
        Map<String, Object> settings = new HashMap<>();
        bundle(settings, "api", "server");
        settings.put("server.ssl.bundle", "api");
        settings.put("server.ssl.client-auth", "need");
        return api(settings);
    }

    private static ConfigurableApplicationContext api(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.putAll(Map.of(
                "server.port", "0",
                "server.address", "127.0.0.1",
                "logging.level.root", "warn",
                "spring.main.banner-mode", "off"));
        // Of docs/verify.md.
        settings.putAll(shown("verify.yaml"));
        return new SpringApplicationBuilder(OrdersApi.class)
                .web(WebApplicationType.SERVLET)
                .properties(settings)
                .run();
    }

    /** Settings that a page shows, for the server and the client of this run. */
    private static Map<String, Object> shown(String file) {
        Map<String, Object> settings = new HashMap<>();
        try {
            String text = new ClassPathResource(file).getContentAsString(StandardCharsets.UTF_8)
                    .replace("http://localhost:8080", ISSUER)
                    .replace("web-shop-demo-secret", System.getenv("SPRING_SECRET"));
            var yaml = new YamlPropertiesFactoryBean();
            yaml.setResources(new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8)));
            yaml.getObject().forEach((key, value) -> settings.put((String) key, value));
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
        return settings;
    }

    static ConfigurableApplicationContext shop() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("server.port", "0");
        settings.put("server.address", "127.0.0.1");
        settings.put("logging.level.root", "warn");
        // It warns of the HTTP client's threads, which end with the process.
        settings.put("logging.level.org.apache.catalina.loader", "error");
        settings.put("spring.main.banner-mode", "off");
        // Of README.md: the client "orders".
        settings.putAll(shown("shop.yaml"));
        register(settings, "with-every-character", "ASCII");
        // This client has two audiences: a scope tells which.
        settings.put("spring.security.oauth2.client.registration.with-every-character.scope", "orders:read");
        register(settings, "with-key-stock", "STOCK_SPRING");
        register(settings, "with-key", "KEY");
        settings.put("spring.security.oauth2.client.registration.with-key.scope", "orders:read");
        registerCertified(settings);
        return new SpringApplicationBuilder(WebShop.class)
                .web(WebApplicationType.SERVLET)
                .properties(settings)
                .run();
    }

    private static void register(Map<String, Object> settings, String registration, String variables) {
        String prefix = "spring.security.oauth2.client.registration." + registration + ".";
        settings.put(prefix + "provider", "grantd");
        settings.put(prefix + "authorization-grant-type", "client_credentials");
        settings.put(prefix + "client-id", System.getenv(variables + "_ID"));
        String secret = System.getenv(variables + "_SECRET");
        if (secret == null) {
            settings.put(prefix + "client-authentication-method", "private_key_jwt");
        } else {
            settings.put(prefix + "client-secret", secret);
        }
    }

    /** The connection proves this client: Spring sends its id and nothing else. */
    private static void registerCertified(Map<String, Object> settings) {
        String prefix = "spring.security.oauth2.client.";
        settings.put(prefix + "provider.grantd-mtls.issuer-uri", ISSUER);
        settings.put(prefix + "provider.grantd-mtls.token-uri", System.getenv("MTLS_TOKEN_ENDPOINT"));
        String registration = prefix + "registration.with-certificate.";
        settings.put(registration + "provider", "grantd-mtls");
        settings.put(registration + "authorization-grant-type", "client_credentials");
        settings.put(registration + "client-authentication-method", "none");
        settings.put(registration + "client-id", System.getenv("MESH_SPRING_ID"));
        bundle(settings, "right", "client-" + System.getenv("MESH_SPRING_ID"));
        bundle(settings, "wrong", "client-" + System.getenv("MESH_ID"));
    }

    /** The certificate that grantd made, in files of this name, and its CA as the one to trust. */
    private static void bundle(Map<String, Object> settings, String bundle, String file) {
        String prefix = "spring.ssl.bundle.pem." + bundle + ".";
        String path = "file:" + System.getenv("DATA") + "/" + file;
        settings.put(prefix + "keystore.certificate", path + ".pem");
        settings.put(prefix + "keystore.private-key", path + ".key");
        settings.put(prefix + "truststore.certificate", "file:" + System.getenv("CA_FILE"));
    }
}
