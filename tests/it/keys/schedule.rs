//! Rotation by schedule (OPERATING section 6), by the manual clock.

use std::collections::BTreeSet;

use grantd::crypto::random;
use grantd::crypto::sealing::Sealed;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::KeyLife;
use grantd::domain::timestamp::Seconds;
use grantd::store::error::StoreError;
use grantd::store::signing_keys::StoredKey;

use super::{at, rotating};
use crate::harness::*;

/// Cached for `jwks_max_age` from a replica that is `max_staleness` behind.
const OLDEST_CACHE: usize = 330;

on_both! {
    /// JOSE-04 B-T05: a verifier that caches the JWKS knows each kid before it sees a token of it; a key stays until its
    /// last token has expired, and no longer.
    async fn keys_rotate_by_schedule_and_no_verifier_meets_an_unknown_one(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let (_, first) = replica.signed().await;
        let mut published: Vec<BTreeSet<String>> = Vec::new();
        let mut signers = vec![first.clone()];
        let mut tokens = Vec::new();
        let mut gone = None;
        for second in 0..1900_i64 {
            env.clock.sleep_until(at(second)).await;
            replica.tick().await;
            published.push(replica.published_set().await);
            // Each second beside a change of keys, and now and then between.
            if second % 60 != 0 && !(590..620).contains(&(second % 600)) {
                continue;
            }
            let (token, kid) = replica.signed().await;
            let index = published.len() - 1;
            assert!(published[index].contains(&kid));
            if kid != first {
                let cached = &published[index.saturating_sub(OLDEST_CACHE)];
                assert!(cached.contains(&kid), "{second} s: {kid} is not in {cached:?}");
            }
            if signers.last() != Some(&kid) {
                signers.push(kid.clone());
            }
            tokens.push((second + 300, kid, token));
            tokens.retain(|(expires, kid, _)| {
                let lives = *expires > second;
                assert!(!lives || published[index].contains(kid), "{second} s: {kid}");
                lives
            });
            for (_, _, token) in tokens.iter().take(3) {
                assert!(replica.is_active(token).await, "{second} s");
            }
            if gone.is_none() && !published[index].contains(&first) {
                gone = Some(second);
            }
        }
        assert_eq!(signers.len(), 4, "a key each ten minutes: {signers:?}");
        // It retired at 600 s; a stale replica may sign for 30 s more with a clock 2 s ahead; the audience allows 15 min.
        let end = env.lineup().await.life(&first).unwrap().expires_at;
        assert_eq!(end, Some(at(600 + 30 + 2 + 900)));
        assert!(gone.is_some_and(|gone| (1532..1600).contains(&gone)), "{gone:?}");
    }

    async fn a_key_that_is_over_leaves_the_database_ten_minutes_later(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let (_, first) = replica.signed().await;
        env.clock.sleep_until(at(598)).await;
        replica.tick().await;
        for (second, is_there) in [(1532, true), (1532 + 600, true), (1532 + 601, false)] {
            env.clock.sleep_until(at(second)).await;
            replica.follow().await;
            replica.grantd.sweep().await;
            assert!(!replica.published_kids().await.contains(&first));
            assert_eq!(env.lineup().await.life(&first).is_some(), is_there, "{second} s");
        }
    }

    async fn without_rotation_the_next_key_stands_by_for_ever(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.keys.rotation = Seconds::new(0)).await;
        replica.tick().await;
        let (_, first) = replica.signed().await;
        let published = replica.published_set().await;
        assert_eq!(published.len(), 2);
        env.clock.sleep_until(at(400 * 86_400)).await;
        replica.tick().await;
        assert_eq!(replica.signed().await.1, first);
        assert_eq!(replica.published_set().await, published);
    }

    /// DESIGN section 5: two replicas that rotate at once make one key.
    async fn replicas_that_rotate_at_once_make_one_key(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica_with(rotating).await, env.replica_with(rotating).await];
        for turn in 0..4 {
            env.clock.sleep_until(at(turn * 600)).await;
            for replica in &replicas {
                replica.follow().await;
            }
            let [a, b] = &replicas;
            let (a, b) = tokio::join!(a.grantd.rotate_keys(), b.grantd.rotate_keys());
            let done = [a.unwrap(), b.unwrap()].into_iter().filter(|done| *done).count();
            assert_eq!(done, 1, "one of them does it");
            let lineup = env.lineup().await;
            let standing = lineup.iter().filter(|(_, life)| life.retires_at.is_none());
            assert_eq!(standing.count(), 2, "{lineup:?}");
            assert_eq!(lineup.iter().count(), usize::try_from(turn + 2).unwrap());
        }
    }

    /// Whoever is second finds the place taken, whether or not he waited for his turn.
    async fn of_each_algorithm_one_key_stands_by_and_one_signs(env) {
        env.apply(CATALOG).await;
        env.replica_with(rotating).await.tick().await;
        let sealed = Sealed { key_id: "of the test".to_owned(), text: "A".to_owned() };
        for life in [KeyLife::announced(at(0)), KeyLife::from(at(0), at(0))] {
            let key = StoredKey {
                kid: "of the test".to_owned(),
                algorithm: SigningAlgorithm::Es256,
                public_jwk: "{}".to_owned(),
                sealed: sealed.clone(),
                life,
            };
            let mut change = env.store.begin_change(random::token_id()).await.unwrap();
            let refused = change.insert_signing_key(&key).await;
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        }
        // Nor does a life change that is not the one that was looked at.
        let lineup = env.lineup().await;
        let (kid, before) = lineup.current().unwrap();
        let seen = KeyLife { retires_at: Some(at(5)), ..*before };
        let mut change = env.store.begin_change(random::token_id()).await.unwrap();
        let refused = change.set_key_life(kid, (&seen, before)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }

    /// The last token that a key really signed: under the settings and the audiences of then.
    async fn a_key_outlives_tokens_of_times_when_they_lived_longer(env) {
        let long = CATALOG.replace("served_by", "max_token_lifetime = \"2h\"\ntoken_lifetime = \"2h\"\nserved_by");
        env.apply(&long).await;
        let before = env
            .replica_with(|settings| settings.tokens.max_lifetime = Seconds::new(7200))
            .await;
        before.tick().await;
        let (token, old) = before.signed().await;
        env.apply(CATALOG).await;
        let short = |settings: &mut grantd::config::settings::Settings| {
            settings.tokens.max_lifetime = Seconds::new(60);
            rotating(settings);
        };
        let now = env.replica_with(short).await;
        env.clock.sleep_until(at(598)).await;
        now.tick().await;
        env.clock.sleep_until(at(7199)).await;
        now.tick().await;
        let (brief, new) = now.signed().await;
        assert_ne!(new, old);
        assert!(now.is_active(&token).await && now.is_active(&brief).await);
        assert!(now.published_set().await.contains(&old));
    }

    /// An audience that gets another algorithm leaves keys behind that nobody needs.
    async fn keys_of_an_algorithm_that_no_audience_has_end_with_their_turn(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let (token, old) = replica.signed().await;
        env.apply(&CATALOG.replace("served_by", "algorithm = \"EdDSA\"\nserved_by")).await;
        replica.tick().await;
        env.clock.sleep_until(at(299)).await;
        replica.tick().await;
        assert!(replica.is_active(&token).await);
        env.clock.sleep_until(at(600)).await;
        replica.tick().await;
        let published = replica.published_set().await;
        // Beside it the three of EdDSA, whose turn it was, too.
        assert!(published.contains(&old) && published.len() == 4, "{published:?}");
        env.clock.sleep_until(at(1532)).await;
        replica.tick().await;
        assert!(!replica.published_set().await.contains(&old));
        // And one that gets it back has a key at once.
        env.apply(CATALOG).await;
        replica.tick().await;
        assert_ne!(replica.signed().await.1, old);
    }
}
