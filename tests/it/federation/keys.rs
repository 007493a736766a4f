//! The keys of issuers: where they are, how often somebody asks, and what a source does that must do no harm. How a source
//! is asked is the same for a client's `jwks_url`, whose tests go through more of it.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::timestamp::Seconds;
use serde_json::{Value, json};

use super::{CI, Platform, asks, with_deploy, workload};
use crate::assertion::signer::Key;
use crate::harness::{CATALOG, Env, Replica, START, on_both};
use crate::key_sources::publisher::Manner;

async fn later(env: &Env, replica: &Replica, seconds: u32) {
    env.clock.advance(Seconds::new(seconds));
    replica.follow().await;
    replica.grantd.refresh_key_sources().await;
}

/// A token that is new by the clock.
fn token_at(env: &Env, platform: &Platform, key: &Key) -> String {
    let now = env.clock.now().unix();
    key.sign(&platform.claims(&json!({ "iat": now, "nbf": now, "exp": now + 300 })))
}

on_both! {
    /// FED-10: a hundred requests at once start one fetch.
    async fn one_fetch_serves_a_hundred_requests(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let tokens: Vec<String> = (0..100).map(|_| platform.token(&json!({}))).collect();
        let all = tokens.iter().map(|token| asks(&replica, token, ""));
        let all = futures_util::future::join_all(all).await;
        assert!(all.iter().all(|it| it.status == 200), "{:?}", all[0]);
        assert_eq!(platform.publisher.fetches(), 1);
    }

    /// FED-10: whatever strangers call their keys, the source is asked once in ten seconds.
    async fn a_flood_of_unknown_kids_fetches_once_in_ten_seconds(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        for round in 1..=3 {
            for _ in 0..20 {
                let stranger = Key::new(SigningAlgorithm::Es256);
                let token = token_at(&env, &platform, &stranger);
                asks(&replica, &token, "").await.assert_error(401, "invalid_client");
            }
            assert_eq!(platform.publisher.fetches(), round);
            env.clock.advance(Seconds::new(10));
            replica.follow().await;
        }
    }

    /// FED-11: the last good set stays, `/readyz` has a word, and who brings a new key is told to come again.
    async fn the_last_good_keys_stay_while_their_source_fails(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        later(&env, &replica, 3600).await;
        assert_eq!(asks(&replica, &token_at(&env, &platform, &platform.key), "").await.status, 200);
        let new = Key::new(SigningAlgorithm::Es256);
        asks(&replica, &token_at(&env, &platform, &new), "").await.assert_error(503, "temporarily_unavailable");
        let degraded = replica.grantd.degraded();
        assert!(degraded[0].message.contains("issuer ci: it answered 500"), "{degraded:?}");
        assert!(!degraded[0].blocks);
        platform.publisher.now(Manner::keys(&[&new]));
        later(&env, &replica, 60).await;
        // FED-12: the new key counts, and the withdrawn one no more.
        assert_eq!(asks(&replica, &token_at(&env, &platform, &new), "").await.status, 200);
        asks(&replica, &token_at(&env, &platform, &platform.key), "").await.assert_error(401, "invalid_client");
        assert_eq!(replica.grantd.degraded(), []);
    }

    /// FED-11: where keys were never there, nobody can tell who it is.
    async fn before_the_first_fetch_ends_well_it_is_503(env) {
        let platform = Platform::ci().await;
        platform.publisher.now(Manner::Says("content-type: text/html\r\n", "<html>".to_owned()));
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(503, "temporarily_unavailable");
    }

    /// What a file held when it was applied needs no server.
    async fn keys_may_stand_in_the_catalog(env) {
        let platform = Platform::ci().await;
        let set = json!({ "keys": [platform.key.jwk()] });
        let issuer = format!("[[issuer]]\nid = \"ci\"\nurl = \"{CI}\"\nkeys = '''{set}'''\n");
        let catalog = CATALOG.to_owned() + &issuer + &workload("deploy", "ci", "subject = \"repo:**\"");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        let stranger = Key::new(SigningAlgorithm::Es256);
        let token = stranger.sign(&platform.claims(&json!({})));
        asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        later(&env, &replica, 2 * 86_400).await;
        assert_eq!(asks(&replica, &token_at(&env, &platform, &platform.key), "").await.status, 200);
        assert_eq!(platform.publisher.fetches(), 0);
        // Another set in its place is the one that counts.
        let new = json!({ "keys": [stranger.jwk()] });
        env.apply(&catalog.replace(&set.to_string(), &new.to_string())).await;
        replica.follow().await;
        assert_eq!(asks(&replica, &token_at(&env, &platform, &stranger), "").await.status, 200);
        asks(&replica, &token_at(&env, &platform, &platform.key), "").await.assert_error(401, "invalid_client");
    }

    /// The metadata say where the keys are, and must be those of the issuer.
    async fn keys_are_discovered_where_the_metadata_say(env) {
        let platform = Platform::ci().await;
        let base = platform.publisher.url().replace("/jwks", "");
        let url: &'static str = Box::leak(base.clone().into_boxed_str());
        let platform = Platform { url, ..platform };
        let jwks = json!([platform.key.jwk()]);
        let issuer = format!("[[issuer]]\nid = \"ci\"\nurl = \"{base}\"\nca = '''{}'''\n", platform.publisher.ca);
        let catalog = CATALOG.to_owned() + &issuer + &workload("deploy", "ci", "subject = \"repo:**\"");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let says = |document: Value| Manner::Says("content-type: application/json\r\n", document.to_string());
        for (document, told) in [
            (json!({ "issuer": format!("{base}/"), "jwks_uri": format!("{base}/jwks") }), "is that of"),
            (json!({ "jwks_uri": format!("{base}/jwks") }), "names no issuer"),
            (json!({ "issuer": base }), "no jwks_uri"),
            (json!({ "issuer": base, "jwks_uri": "http://127.0.0.1:9/jwks" }), "does not begin with https"),
            (json!({ "issuer": base, "jwks_uri": "file:///etc/passwd" }), "jwks_uri"),
            (json!([]), "its metadata is"),
        ] {
            platform.publisher.now(says(document));
            env.clock.advance(Seconds::new(10));
            replica.follow().await;
            asks(&replica, &token_at(&env, &platform, &platform.key), "").await.assert_error(503, "temporarily_unavailable");
            let degraded = replica.grantd.degraded();
            assert!(degraded[0].message.contains(told), "{told}: {degraded:?}");
        }
        // One document is metadata and a set of keys at once.
        platform.publisher.now(says(json!({ "issuer": base, "jwks_uri": format!("{base}/keys"), "keys": jwks })));
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        assert_eq!(asks(&replica, &token_at(&env, &platform, &platform.key), "").await.status, 200);
        let asked = platform.publisher.asked();
        let last: Vec<&str> = asked.iter().rev().take(2).map(String::as_str).collect();
        assert_eq!(last, ["GET /keys HTTP/1.1", "GET /.well-known/openid-configuration HTTP/1.1"]);
        assert!(START < env.clock.now().unix());
    }

    /// A Kubernetes API server wants to know who asks; the token is read anew each time, and may be replaced.
    async fn the_token_of_a_file_goes_with_each_fetch(env) {
        let platform = Platform::ci().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let line = format!("bearer_token_file = \"{}\"", file.display());
        let catalog = CATALOG.to_owned() + &platform.lines(&line) + &workload("deploy", "ci", "subject = \"repo:**\"");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(503, "temporarily_unavailable");
        assert_eq!(platform.publisher.fetches(), 0, "without its token nobody is asked");
        for text in ["first-token-of-the-cluster-1\n", "second-token-of-the-cluster-2"] {
            std::fs::write(&file, text).unwrap();
            later(&env, &replica, 3600).await;
            assert_eq!(asks(&replica, &token_at(&env, &platform, &platform.key), "").await.status, 200);
            let sent = platform.publisher.authorizations();
            assert_eq!(sent.last().unwrap(), &format!("Bearer {}", text.trim()));
        }
    }
}
