//! Trusted issuers in the database and in each replica's memory.

use grantd::crypto::random;
use grantd::domain::identifier::IssuerId;
use grantd::domain::timestamp::Timestamp;
use grantd::domain::trusted_issuer::TrustedIssuer;
use grantd::store::error::StoreError;
use serde_json::{Value, json};

use crate::harness::*;

fn issuer(document: Value) -> TrustedIssuer {
    serde_json::from_value(document).unwrap()
}

fn id(text: &str) -> IssuerId {
    IssuerId::parse(text).unwrap()
}

async fn put(env: &Env, issuers: &[TrustedIssuer]) -> Result<(), StoreError> {
    let mut change = env.store.begin_change(random::token_id()).await?;
    change.put_issuers(issuers).await?;
    change.commit().await.map(drop)
}

async fn all(env: &Env) -> Vec<TrustedIssuer> {
    env.store.load_issuers().await.unwrap().value
}

/// Everything that an issuer can state, and one that states nothing.
fn fully_stated_and_bare() -> [TrustedIssuer; 2] {
    [
        issuer(json!({ "id": "bare", "url": "https://ci.example" })),
        issuer(json!({
            "id": "full", "use": ["client", "exchange", "grant"], "url": "spiffe://example.org", "preset": "spiffe",
            "keys": "{\"keys\":[]}", "ca": "a CA", "bearer_token_file": "/run/token", "audience": "https://auth.example",
            "algorithms": ["RS256", "ES512"], "max_lifetime": "90s", "jti": "single_use",
        })),
    ]
}

on_both! {
    async fn an_issuer_is_read_as_it_was_written_and_gone_once_it_is_deleted(env) {
        let issuers = fully_stated_and_bare();
        put(&env, &issuers).await.unwrap();
        assert_eq!(all(&env).await, issuers);
        for keys in ["discovery", "https://ci.example/jwks"] {
            let stated = issuer(json!({ "id": "bare", "url": "https://ci.example", "keys": keys }));
            put(&env, std::slice::from_ref(&stated)).await.unwrap();
            assert_eq!(all(&env).await, [stated, issuers[1].clone()]);
        }
        let mark = Timestamp::from_unix(START);
        let mut change = env.store.begin_change(random::token_id()).await.unwrap();
        change.delete_issuer(&id("bare"), mark).await.unwrap();
        let twice = change.delete_issuer(&id("bare"), mark).await;
        assert!(matches!(twice, Err(StoreError::Conflict(key)) if key == "bare"));
        change.commit().await.unwrap();
        assert_eq!(all(&env).await, [issuers[1].clone()]);
    }

    /// Of two with one URL nobody could say whose a token is.
    async fn two_issuers_may_change_urls_but_not_share_one(env) {
        let [a, b] = ["https://a.example", "https://b.example"];
        put(&env, &[issuer(json!({ "id": "a", "url": a })), issuer(json!({ "id": "b", "url": b }))]).await.unwrap();
        put(&env, &[issuer(json!({ "id": "a", "url": b })), issuer(json!({ "id": "b", "url": a }))]).await.unwrap();
        assert_eq!(all(&env).await[0].url.as_str(), b);
        let third = put(&env, &[issuer(json!({ "id": "c", "url": a }))]).await;
        assert!(matches!(third, Err(StoreError::Refused { .. })), "{third:?}");
        assert_eq!(all(&env).await.len(), 2);
    }

    async fn a_changed_issuer_is_another_on_each_replica_once_the_feed_is_read(env) {
        let (here, there) = (env.replica().await, env.replica().await);
        let url_of = async |replica: &Replica| {
            let known = replica.grantd.directory().issuer(&id("ci")).await.unwrap();
            known.map(|known| known.url.to_string())
        };
        for replica in [&here, &there] {
            assert_eq!(url_of(replica).await, None);
        }
        for url in ["https://one.example", "https://two.example"] {
            put(&env, &[issuer(json!({ "id": "ci", "url": url }))]).await.unwrap();
            for replica in [&here, &there] {
                assert_ne!(url_of(replica).await.as_deref(), Some(url), "nobody told it");
                replica.follow().await;
                assert_eq!(url_of(replica).await.as_deref(), Some(url));
                let directory = replica.grantd.directory();
                assert_eq!(directory.issuers().await.unwrap().by_url(url).unwrap().id, id("ci"));
                assert!(directory.issuers().await.unwrap().by_url("https://three.example").is_none());
                assert!(directory.issuer_of_trust_domain("one.example").await.unwrap().is_none());
            }
        }
    }
}
