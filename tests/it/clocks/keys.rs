//! Signing keys while clocks are set: one that was published stays published, and one that signed signs.

use std::collections::BTreeSet;

use grantd::domain::signing_key::KeyLife;
use grantd::domain::timestamp::Timestamp;

use crate::forgery::{Forger, new_key};
use crate::harness::*;

on_both! {
    /// With the database's clock, as on SQLite, and the replica's alone.
    async fn a_clock_that_is_set_back_unpublishes_no_key_and_leaves_a_signer(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let published = replica.published_kids().await;
        assert_eq!(published.len(), 1);
        for back in [30, 1800, 1800] {
            env.clock.set_by(-back);
            for _ in 0..2 {
                assert_eq!(replica.published_kids().await, published);
                replica.follow().await;
            }
            let token = replica.issued("reader", READER, "").await;
            assert_eq!(decoded(&token).0["kid"], published[0].as_str());
            assert!(replica.is_active(&token).await);
            assert_eq!(env.replica().await.published_kids().await, published, "after a restart");
        }
        let (slow, _) = env.replica_apart(-50).await;
        assert_eq!(slow.published_kids().await, published);
        assert_eq!(slow.token("reader", READER, "").await.status, 200);
    }

    /// A replica's own clock, as far as it may be wrong, moves neither the begin nor the end of a key.
    async fn keys_begin_and_end_by_the_database_s_clock(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let next = new_key();
        let at = |after| Timestamp::from_unix(START + after);
        env.announce(&next, KeyLife::from(at(0), at(100))).await;
        let end = KeyLife {
            retires_at: Some(at(100)),
            expires_at: Some(at(200)),
            ..KeyLife::from(at(0), at(0))
        };
        env.set_key_life(&forger.key.kid, end).await;
        replica.follow().await;
        let both = BTreeSet::from([forger.key.kid.clone(), next.kid.clone()]);
        for (after, signer, published) in [
            (99, &forger.key.kid, both.clone()),
            (100, &next.kid, both.clone()),
            (199, &next.kid, both),
            (200, &next.kid, BTreeSet::from([next.kid.clone()])),
        ] {
            env.clock.sleep_until(at(after)).await;
            for apart in [-50, 50] {
                let (replica, _) = env.replica_apart(apart).await;
                let token = replica.issued("reader", READER, "").await;
                assert_eq!(decoded(&token).0["kid"], signer.as_str(), "{apart} after {after} s");
                let kids: BTreeSet<String> = replica.published_kids().await.into_iter().collect();
                assert_eq!(kids, published, "{apart} after {after} s");
            }
        }
    }

    /// A key that was just made begins to sign in a moment: by the database's clock, for which a request waits.
    async fn a_request_waits_for_a_new_key_whatever_its_replica_s_clock_says(env) {
        env.apply(CATALOG).await;
        let at = |after| Timestamp::from_unix(START + after);
        for stored in env.store.load_signing_keys().await.unwrap().value.keys {
            let over = KeyLife { retires_at: Some(at(0)), ..stored.life };
            env.set_key_life(&stored.kid, over).await;
        }
        let key = new_key();
        env.announce(&key, KeyLife::from(at(0), at(2))).await;
        for apart in [-30, 0, 30] {
            let (replica, clock) = env.replica_apart(apart).await;
            let token = replica.issued("reader", READER, "").await;
            assert_eq!(decoded(&token).0["kid"], key.kid.as_str());
            assert_eq!(clock.now(), at(2 + apart));
        }
    }
}
