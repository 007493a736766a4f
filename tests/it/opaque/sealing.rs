//! OPQ-03: which sealing keys open a token.

use grantd::crypto::sealing::{SealingKey, SealingKeys};

use super::*;

on_both! {
    /// OPQ-03: after a restart, and on another replica.
    async fn every_replica_opens_what_one_sealed(env) {
        env.apply(&catalog()).await;
        let token = env.replica().await.issued("reader", READER, "").await;
        for _ in 0..2 {
            assert!(env.replica().await.is_active(&token).await);
        }
    }

    /// OPQ-03: rolled out as docs/keys.md says: the new key first as an old one, then as the first.
    async fn a_token_outlives_a_change_of_the_sealing_key_while_the_old_one_is_listed(env) {
        let mut env = env;
        env.apply(&catalog()).await;
        let old = env.sealing.first.clone();
        let new = SealingKey::generate();
        let before = env.replica().await;
        let token = before.issued("reader", READER, "").await;
        env.sealing = SealingKeys { first: old.clone(), old: vec![new.clone()] };
        let prepared = env.replica().await;
        assert!(prepared.is_active(&token).await);
        env.sealing = SealingKeys { first: new.clone(), old: vec![old] };
        let after = env.replica().await;
        assert!(after.is_active(&token).await);
        let by_new = after.issued("reader", READER, "").await;
        assert!(prepared.is_active(&by_new).await, "no replica must wait for the others");
        assert!(!before.is_active(&by_new).await);
        env.rotation().reseal().await.unwrap();

        env.sealing = SealingKeys::new(new);
        let alone = env.replica().await;
        assert!(alone.is_active(&by_new).await);
        assert!(!alone.is_active(&token).await, "it dies with the key that sealed it");
        let source = std::net::Ipv6Addr::from(uuid::Uuid::new_v4().as_u128()).to_string();
        let log = crate::captured_log::watch(&format!("source={source}"));
        alone.at(&source).introspect("api", API, &token).await;
        let lines = log.lines();
        assert!(lines.iter().any(|it| it.contains("INFO") && it.contains("sealing key")), "{lines:?}");
    }

    /// The same sealing key under another issuer is another key.
    async fn a_token_of_another_issuer_does_not_open(env) {
        env.apply(&catalog()).await;
        let other = grantd::domain::issuer::Issuer::parse("https://auth2.example", false).unwrap();
        let elsewhere = env.replica_with(|settings| settings.issuer = other).await;
        let token = elsewhere.issued("reader", READER, "").await;
        assert!(elsewhere.is_active(&token).await);
        assert!(!env.replica().await.is_active(&token).await);
    }
}
