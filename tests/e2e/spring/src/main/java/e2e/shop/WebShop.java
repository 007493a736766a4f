package e2e.shop;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.web.SecurityFilterChain;

/** A service that calls the API with a token of its own. */
@SpringBootApplication
public class WebShop {

    /** The manager for a service without a web request, as Spring Security's manual has it. */
    @Bean
    OAuth2AuthorizedClientManager clients(
            ClientRegistrationRepository registrations, OAuth2AuthorizedClientService authorized) {
        return new AuthorizedClientServiceOAuth2AuthorizedClientManager(registrations, authorized);
    }

    /** Nobody logs in to this shop. */
    @Bean
    SecurityFilterChain everyone(HttpSecurity http) throws Exception {
        return http.authorizeHttpRequests(requests -> requests.anyRequest().permitAll()).build();
    }
}
