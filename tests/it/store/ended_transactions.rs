//! A transaction that an error has ended: the next one begins all the same.

use super::env::assert_unavailable;
use crate::harness::*;

on_both! {
    /// SQLite rolls back by itself when the disk is full, and the driver would go on to count it as open.
    async fn when_what_failed_writes_works_again_writes_are_back(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        if env.database.is_postgres() {
            let full = "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN RAISE 'no space left' USING ERRCODE = '53100'; END $$";
            env.database.execute(full).await;
            let trigger = "CREATE TRIGGER disk_full BEFORE INSERT ON revoked_tokens \
                           FOR EACH ROW EXECUTE FUNCTION disk_full()";
            env.database.execute(trigger).await;
        } else {
            let trigger = "CREATE TRIGGER disk_full BEFORE INSERT ON revoked_tokens \
                           BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END";
            env.database.execute(trigger).await;
        }
        for _ in 0..3 {
            assert_unavailable(&replica.revoke("reader", READER, &token).await);
        }
        let drop = if env.database.is_postgres() {
            "DROP TRIGGER disk_full ON revoked_tokens"
        } else {
            "DROP TRIGGER disk_full"
        };
        env.database.execute(drop).await;
        assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], false);
    }
}
