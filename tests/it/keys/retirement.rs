//! Keys that an operator rotates or retires.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::lineup::TakeOver;
use grantd::operations::actor::Actor;
use grantd::operations::rotate_keys::KeyRotation;
use grantd::operations::rotate_keys::RotationError;

use super::{at, rotating};
use crate::forgery::signed;
use crate::harness::*;
use crate::raw_sql::texts;

on_both! {
    /// B-T01, OPERATING section 8: token, JWKS and introspection, on every replica that has read of it.
    async fn a_compromised_key_is_dead_at_once_and_the_next_one_signs(env) {
        let (first, thief) = crate::forgery::Forger::new(&env, CATALOG).await;
        let second = env.replica_with(rotating).await;
        second.tick().await;
        first.follow().await;
        let (token, leaked) = first.signed().await;
        let next = env.next_kid().await;
        let by = Actor { reason: Some("seen in a log".to_owned()), ..by() };
        let turn = KeyRotation { by: &by, ..env.rotation() }.retire(&leaked, true).await.unwrap();
        assert_eq!(turn.current.unwrap().0, next);
        // Whoever has it could sign until the end of time.
        let forged = signed(&thief.key, &thief.header, &thief.claims);
        for replica in [&first, &second] {
            replica.follow().await;
            let published = replica.published_set().await;
            assert!(!published.contains(&leaked) && published.len() == 2, "{published:?}");
            assert!(!replica.is_active(&token).await && !replica.is_active(&forged).await);
            let (new, kid) = replica.signed().await;
            assert_eq!(kid, next);
            assert!(replica.is_active(&new).await);
        }
        let events = "SELECT details FROM audit_events WHERE action = 'signing_key_compromised'";
        let events = texts(&env.database, events).await;
        assert!(events.len() == 1 && events[0].contains("seen in a log"), "{events:?}");
        // Also when the clock is set back to when it signed, and after a restart.
        env.clock.set_by(-3000);
        for replica in [&first, &env.replica().await] {
            replica.follow().await;
            assert!(!replica.published_set().await.contains(&leaked));
            assert!(!replica.is_active(&token).await);
            assert_ne!(replica.signed().await.1, leaked);
        }
    }

    async fn a_retired_key_signs_until_every_verifier_knows_the_next_one(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let (token, old) = replica.signed().await;
        let next = env.next_kid().await;
        env.clock.sleep_until(at(100)).await;
        env.rotation().retire(&old, false).await.unwrap();
        for (second, signer) in [(101, &old), (330, &old), (331, &next), (400, &next)] {
            env.clock.sleep_until(at(second)).await;
            replica.tick().await;
            let (new, kid) = replica.signed().await;
            assert_eq!(kid, *signer, "{second} s");
            assert!(replica.is_active(&new).await);
            assert_eq!(replica.is_active(&token).await, second < 300);
        }
        let again = env.rotation().retire(&old, false).await.unwrap_err();
        assert!(matches!(again, RotationError::Retired(..)), "{again}");
        let unknown = env.rotation().retire("no such", false).await.unwrap_err();
        assert!(unknown.to_string().contains("grantd key list"), "{unknown}");
    }

    /// The one after it is announced in the same change: there is always one that may be retired to.
    async fn the_next_key_may_be_retired_before_it_ever_signs(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let next = env.next_kid().await;
        env.rotation().retire(&next, false).await.unwrap();
        replica.follow().await;
        assert!(!replica.published_set().await.contains(&next));
        assert_ne!(env.next_kid().await, next);
        assert_eq!(replica.published_set().await.len(), 2);
    }

    async fn a_known_next_key_takes_over_in_two_seconds(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(rotating).await;
        replica.tick().await;
        let (_, old) = replica.signed().await;
        env.clock.sleep_until(at(400)).await;
        let next = env.next_kid().await;
        let turns = env.rotation().rotate(None, TakeOver::WhenKnown).await.unwrap();
        assert_eq!(turns.len(), 1);
        replica.follow().await;
        for (second, signer) in [(401, &old), (402, &next)] {
            env.clock.sleep_until(at(second)).await;
            assert_eq!(replica.signed().await.1, *signer);
        }
        assert_eq!(replica.published_set().await.len(), 3, "the one after is announced");
    }

    /// Commands find what no replica has announced yet.
    async fn a_rotation_works_where_no_server_ever_ran(env) {
        env.apply(CATALOG).await;
        let turns = env.rotation().rotate(Some(SigningAlgorithm::Es256), TakeOver::Now).await;
        let turn = turns.unwrap().remove(0);
        assert_eq!(turn.current.unwrap().1.activates_at, Some(at(2)));
        assert!(turn.next.is_some());
        let none = env.rotation().rotate(Some(SigningAlgorithm::Rs256), TakeOver::Now).await;
        assert!(matches!(none, Err(RotationError::NotInUse(SigningAlgorithm::Rs256))));
        let replica = env.replica_with(rotating).await;
        env.clock.sleep_until(at(2)).await;
        replica.tick().await;
        assert!(replica.is_active(&replica.signed().await.0).await);
    }
}
