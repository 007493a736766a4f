package grantd.junit;

/**
 * What makes answers go wrong.
 *
 * @param struck how often it did
 */
public record Fault(int id, int struck, String endpoint, String clientId) {}
