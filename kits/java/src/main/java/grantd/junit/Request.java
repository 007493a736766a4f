package grantd.junit;

import java.util.Map;

/**
 * A request that came. What is secret is shown by its length alone.
 *
 * @param outcome issued, active, inactive, revoked, served, fault, abandoned or an error code
 * @param judged  what it would have been without the fault
 * @param fault   the id of the fault that struck
 */
public record Request(
        int id, String at, String endpoint, String http, String clientId, String method, String outcome, String judged,
        Integer fault, Map<String, Object> check, Map<String, Object> headers, Map<String, Object> form,
        Map<String, Object> assertion, Map<String, Object> proof, Map<String, Object> token, String requestId, double tookMs) {}
