package e2e.api;

import java.util.List;
import java.util.Map;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** An API that accepts grantd's tokens, as Spring Boot sets it up from `issuer-uri` alone. */
@SpringBootApplication
@RestController
public class OrdersApi {

    /** Says whom the API takes the caller for. */
    @GetMapping("/whoami")
    Map<String, Object> whoami(JwtAuthenticationToken caller) {
        List<String> scopes = caller.getAuthorities().stream()
                .map(GrantedAuthority::getAuthority)
                .filter(authority -> authority.startsWith("SCOPE_"))
                .toList();
        return Map.of("name", caller.getName(), "scopes", scopes);
    }
}
