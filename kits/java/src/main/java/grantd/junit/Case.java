package grantd.junit;

import java.util.List;
import java.util.Map;

/**
 * One token of the battery.
 *
 * @param headers exactly what to send, once the token {@code after} was sent where there is one
 * @param status  the codes that are right for a refusal
 * @param verdict what it is if an API does otherwise
 */
public record Case(
        String name, boolean mustAccept, String accessToken, Map<String, String> headers, String why, String standard,
        List<Integer> status, String verdict, String after, int cachedForSeconds, String certificatePem, String privateKeyPem) {

    /** What an answer with this status comes to: ok, note, hole or fault. */
    public String judge(int answered) {
        if (answered >= 500) return "fault";
        // An API may keep a key in its cache for a while.
        if ((answered >= 200 && answered < 300) != mustAccept) return cachedForSeconds > 0 ? "note" : verdict;
        return mustAccept || status.contains(answered) ? "ok" : "note";
    }

    /** Fails for a hole or a fault. A note passes: no standard demands otherwise. */
    public void check(int answered) {
        String judged = judge(answered);
        if (judged.equals("hole") || judged.equals("fault")) {
            throw new AssertionError(judged + ": " + answered + " for " + name + ". " + why + " (" + standard + ")");
        }
    }
}
