package grantd.junit;

/**
 * Whether a client caches its tokens.
 *
 * @param wasted those that it got while an equal one had more than half of its life left
 */
public record Waste(int tokens, int wasted) {}
