//! The sealing key changes: it is rolled out beside the old one, then all keys are sealed anew.

use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::domain::signing_key::lineup::TakeOver;

use super::{at, rotating};
use crate::harness::*;

fn both(first: &SealingKey, old: &SealingKey) -> SealingKeys {
    SealingKeys {
        first: first.clone(),
        old: vec![old.clone()],
    }
}

/// What `/readyz` says is wrong with the keys, and whether nothing can be issued.
fn trouble(replica: &Replica) -> Option<(String, bool)> {
    let degraded = replica.grantd.degraded();
    let keys = degraded.into_iter().find(|it| it.what.as_str() == "keys")?;
    Some((keys.message, keys.blocks))
}

async fn serves(replica: &Replica) {
    replica.tick().await;
    let (token, kid) = replica.signed().await;
    assert!(replica.published_set().await.contains(&kid));
    assert!(replica.is_active(&token).await);
}

on_both! {
    /// OPERATING section 6: the new key first, the old one still accepted, one replica after the other.
    async fn the_sealing_key_is_replaced_without_a_refused_request(env) {
        let mut env = env;
        env.apply(CATALOG).await;
        let old = env.sealing.first.clone();
        let new = SealingKey::generate();
        let first = env.replica_with(rotating).await;
        let second = env.replica_with(rotating).await;
        serves(&first).await;
        serves(&second).await;
        // One replica has the new key: what it makes opens with the old one, too.
        env.sealing = both(&new, &old);
        let first = env.replica_with(rotating).await;
        env.clock.sleep_until(at(598)).await;
        serves(&first).await;
        env.clock.sleep_until(at(600)).await;
        serves(&first).await;
        serves(&second).await;
        assert_eq!(trouble(&second), None);
        let second = env.replica_with(rotating).await;
        serves(&second).await;
        let resealed = env.rotation().reseal().await.unwrap();
        assert_eq!((resealed.sealed.len(), resealed.unchanged), (3, 0));
        for replica in [&first, &second] {
            serves(replica).await;
            assert_eq!(trouble(replica), None);
        }
        // The old one is gone for good.
        env.sealing = SealingKeys::new(new);
        let alone = env.replica_with(rotating).await;
        serves(&alone).await;
        assert_eq!(trouble(&alone), None);
        assert_eq!(env.rotation().reseal().await.unwrap().sealed.len(), 0);
    }

    /// One that was forgotten serves on with what it has open, and says what will come.
    async fn a_replica_without_the_new_sealing_key_goes_on_and_says_so(env) {
        let mut env = env;
        env.apply(CATALOG).await;
        let old = env.sealing.clone();
        let forgotten = env.replica_with(rotating).await;
        forgotten.tick().await;
        env.sealing = both(&SealingKey::generate(), &old.first);
        env.rotation().reseal().await.unwrap();
        serves_without_rotating(&forgotten).await;
        let (message, blocks) = trouble(&forgotten).unwrap();
        assert!(message.contains("after a restart") && !blocks, "{message}");
        // What is made from now on it cannot open: before its turn comes that is a warning, then it is not ready.
        env.rotation().rotate(None, TakeOver::Now).await.unwrap();
        forgotten.follow().await;
        let (message, blocks) = trouble(&forgotten).unwrap();
        assert!(message.contains("will be needed") && !blocks, "{message}");
        env.clock.sleep_until(at(5)).await;
        forgotten.follow().await;
        serves_without_rotating(&forgotten).await;
        env.rotation().rotate(None, TakeOver::Now).await.unwrap();
        env.clock.sleep_until(at(10)).await;
        forgotten.follow().await;
        let (message, blocks) = trouble(&forgotten).unwrap();
        assert!(message.contains("should sign now") && blocks, "{message}");
        forgotten.token("reader", READER, "").await.assert_error(503, "temporarily_unavailable");
        // It makes no key that the others could not open, and says why.
        env.clock.sleep_until(at(700)).await;
        forgotten.follow().await;
        let refused = forgotten.grantd.rotate_keys().await.unwrap_err().to_string();
        assert!(refused.contains("give the servers' sealing key"), "{refused}");
    }

    async fn another_sealing_key_than_the_servers_changes_no_key(env) {
        let mut env = env;
        env.apply(CATALOG).await;
        env.replica_with(rotating).await.tick().await;
        let (before, kid) = (env.lineup().await, env.next_kid().await);
        env.sealing = SealingKeys::new(SealingKey::generate());
        for refused in [
            env.rotation().rotate(None, TakeOver::Now).await.unwrap_err(),
            env.rotation().retire(&kid, true).await.unwrap_err(),
            env.rotation().reseal().await.unwrap_err(),
        ] {
            let refused = refused.to_string();
            assert!(refused.contains("give the servers' sealing key"), "{refused}");
        }
        let refused = env.try_apply(CATALOG, false).await.unwrap_err();
        assert!(refused.contains("give the servers' sealing key"), "{refused}");
        assert_eq!(env.lineup().await, before);
    }
}

async fn serves_without_rotating(replica: &Replica) {
    replica.follow().await;
    let (token, _) = replica.signed().await;
    assert!(replica.is_active(&token).await);
}
