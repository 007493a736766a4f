package prices;

import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;

import grantd.junit.Battery;
import grantd.junit.Case;
import grantd.junit.Grantd;
import grantd.junit.GrantdExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.web.servlet.AutoConfigureMockMvc;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.servlet.MockMvc;

@SpringBootTest
@AutoConfigureMockMvc
@ExtendWith(GrantdExtension.class)
class PricesApiTest {
    @Autowired
    MockMvc api;

    @DynamicPropertySource
    static void issuer(DynamicPropertyRegistry settings) {
        settings.add("spring.security.oauth2.resourceserver.jwt.issuer-uri", () -> Grantd.shared().issuer());
    }

    @ParameterizedTest
    @Battery(value = "pricing-api", query = "scope=pricing:read")
    void itTakesGoodTokensAndNoOthers(Case token) throws Exception {
        var request = get("/prices");
        token.headers().forEach(request::header);
        token.check(api.perform(request).andReturn().getResponse().getStatus());
    }

    @Test
    void itKnowsWhoCalls(Grantd grantd) throws Exception {
        String token = grantd.token(grantd.knownClient("orders-service"), "pricing-api", "pricing:read");
        api.perform(get("/prices").header("Authorization", "Bearer " + token))
                .andExpect(jsonPath("caller").value("orders-service"));
    }
}
