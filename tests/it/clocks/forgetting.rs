//! What is forgotten for ever is judged by the database's clock, with a margin of ten minutes.

use grantd::domain::timestamp::Seconds;

use crate::assertion::signer::{assert_refused, claims, token, worker};
use crate::harness::*;
use crate::store::env::Sql;

on_both! {
    async fn a_replica_72_minutes_fast_deletes_nothing_that_others_need(env) {
        let (here, key) = worker(&env).await;
        let access_token = here.issued("reader", READER, "").await;
        assert_eq!(here.revoke("reader", READER, &access_token).await.status, 200);
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&here, &assertion).await.status, 200);
        let sql = Sql::of(&env.database).await;
        let changes = sql.number("SELECT count(*) FROM changes").await;

        let (fast, _) = env.replica_apart(4320).await;
        fast.grantd.sweep().await;
        assert_eq!(sql.number("SELECT count(*) FROM changes").await, changes);
        // One that remembers nothing of it but what the rows say.
        let late = env.replica().await;
        assert!(!late.is_active(&access_token).await);
        assert_refused(&late, &[assertion]).await;
    }

    /// The clock was ahead while expired revocations were forgotten, in memory and as rows.
    async fn a_clock_that_is_set_back_revives_no_revoked_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
        let end = decoded(&token).1["exp"].as_i64().unwrap();
        for beyond in [1, 30, 600] {
            let ahead = end + beyond - env.clock.now().unix();
            env.clock.set_by(ahead);
            replica.follow().await;
            replica.grantd.sweep().await;
            env.clock.set_by(-ahead);
            replica.follow().await;
            assert!(!replica.is_active(&token).await, "forgotten in memory, {beyond} s beyond its end");
            assert!(!env.replica().await.is_active(&token).await, "its row is gone");
        }
    }

    async fn what_is_beyond_the_margin_goes(env) {
        let (replica, key) = worker(&env).await;
        let access_token = replica.issued("reader", READER, "").await;
        assert_eq!(replica.revoke("reader", READER, &access_token).await.status, 200);
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
        let sql = Sql::of(&env.database).await;
        let rows = async || {
            replica.follow().await;
            replica.grantd.sweep().await;
            [
                sql.number("SELECT count(*) FROM revoked_tokens").await,
                sql.number("SELECT count(*) FROM used_assertions").await,
            ]
        };
        // The assertion is refused for its age from 70 s on, the token has a life of 300 s.
        for (after, expected) in [(0, [1, 1]), (670, [1, 1]), (671, [1, 0]), (900, [1, 0]), (901, [0, 0])] {
            let passed = env.clock.now().unix() - START;
            env.clock.advance(Seconds::new(u32::try_from(after - passed).unwrap()));
            assert_eq!(rows().await, expected, "after {after} s");
        }
    }
}
