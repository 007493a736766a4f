import grantd.junit.Grantd;

/** Uses the kit until it is killed. */
public final class Hold {
    public static void main(String[] arguments) throws InterruptedException {
        System.out.println("control " + Grantd.shared().control());
        Thread.sleep(600_000);
    }
}
