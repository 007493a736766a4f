package prices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import grantd.junit.Grantd;
import grantd.junit.GrantdExtension;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What else a test has. */
@ExtendWith(GrantdTest.Afterwards.class)
@ExtendWith(GrantdExtension.Resetting.class)
class GrantdTest {
    /** Looks after the extension that it stands before. */
    static final class Afterwards implements AfterEachCallback {
        @Override
        public void afterEach(ExtensionContext context) {
            var grantd = Grantd.shared();
            assertTrue(grantd.faults().isEmpty() || !grantd.isOwn());
        }
    }

    @Test
    void aFaultStrikesAsOftenAsItShould(Grantd grantd) {
        var client = grantd.client(Map.of("auth", "private_key_jwt"));
        var rule = Map.of("endpoint", "token", "client_id", client.clientId(), "status", 503, "times", 1);
        int id = grantd.addFault(rule);
        assertThrows(IllegalStateException.class, () -> grantd.token(client, "", ""));
        grantd.token(client, "", "");
        var fault = grantd.faults().stream().filter(it -> it.id() == id).findFirst().orElseThrow();
        assertEquals(1, fault.struck());
        var seen = grantd.awaitRequests(Map.of("client_id", client.clientId(), "count", 2, "within", "5s"));
        assertEquals(List.of("fault", "issued"), seen.stream().map(it -> it.outcome()).toList());
        assertEquals(id, seen.get(0).fault());
        var after = Map.of("client_id", client.clientId(), "after", String.valueOf(seen.get(0).id()));
        assertEquals(1, grantd.requests(after).size());
    }

    @Test
    void aResetPutsEverythingBack() throws Exception {
        try (Grantd own = Grantd.start()) {
            var client = own.client(Map.of());
            own.setStatus(client, "disabled");
            assertThrows(IllegalStateException.class, () -> own.token(client, "", ""));
            own.addFault(Map.of("status", 503));
            Instant later = own.clock("advance", "61m");
            own.reset();
            assertEquals(List.of(), own.faults());
            assertEquals(List.of(), own.requests(Map.of()));
            assertTrue(own.clock("freeze", true).isBefore(later));
            assertThrows(IllegalStateException.class, () -> own.delete(client));
        }
    }
}
