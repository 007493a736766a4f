//! When keys are fetched, and by whom.

use grantd::domain::accepted_algorithm::AcceptedAlgorithm;
use grantd::domain::timestamp::Seconds;
use serde_json::json;

use super::publisher::{Manner, Publisher};
use super::{asks, assert_unavailable, key, worker};
use crate::assertion::signer::{Key, claims, token};
use crate::catalogs::{client, reads};
use crate::harness::{decoded, on_both};

on_both! {
    /// FED-19: the token names the credential, and many requests fetch once.
    async fn a_published_key_proves_its_client(env) {
        let (replica, publisher, key) = worker(&env).await;
        for _ in 0..3 {
            let answer = asks(&replica, &key).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let (_, claims) = decoded(answer.json()["access_token"].as_str().unwrap());
            assert_eq!(claims["client_id"], "worker");
        }
        assert_eq!(publisher.asked(), ["GET /jwks HTTP/1.1"]);
    }

    /// FED-19, SMART.
    async fn published_keys_sign_with_sha_384(env) {
        let keys = [AcceptedAlgorithm::Rs384, AcceptedAlgorithm::Es384].map(Key::new);
        let publisher = Publisher::start(Manner::keys(&[&keys[0], &keys[1]])).await;
        env.apply(&publisher.catalog()).await;
        let replica = env.replica().await;
        for key in &keys {
            assert_eq!(asks(&replica, key).await.status, 200);
        }
        let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, keys[1].kid());
        let es256 = keys[1].sign_raw(&header, &claims("worker", "es256").to_string());
        token(&replica, &es256).await.assert_error(401, "invalid_client");
    }

    /// FED-12 FED-19: a new key is accepted within one fetch, a withdrawn one refused after it.
    async fn keys_rotate_at_their_source(env) {
        let (replica, publisher, old) = worker(&env).await;
        assert_eq!(asks(&replica, &old).await.status, 200);
        let new = key();
        publisher.now(Manner::keys(&[&new]));
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        assert_eq!(asks(&replica, &new).await.status, 200);
        asks(&replica, &old).await.assert_error(401, "invalid_client");
        assert_eq!(publisher.fetches(), 2);
    }

    /// FED-12: nobody asks with a new key, and the withdrawn one is refused all the same once the set is due.
    async fn a_withdrawn_key_is_refused_when_its_set_is_due(env) {
        let (replica, publisher, old) = worker(&env).await;
        for (cache_control, age) in [
            ("", 300),
            ("cache-control: max-age=120\r\n", 120),
            ("Cache-Control: public, max-age=1\r\n", 60),
            ("cache-control: max-age=600\r\ncache-control: no-cache\r\n", 60),
            ("cache-control: max-age=86400\r\n", 3600),
        ] {
            let set = |key: &Key| Manner::Says(cache_control, json!({ "keys": [key.jwk()] }).to_string());
            publisher.now(set(&old));
            env.clock.advance(Seconds::new(3600));
            replica.follow().await;
            replica.grantd.refresh_key_sources().await;
            assert_eq!(asks(&replica, &old).await.status, 200, "{cache_control}");
            publisher.now(set(&key()));
            for (seconds, status) in [(age - 1, 200), (1, 401)] {
                env.clock.advance(Seconds::new(seconds));
                replica.follow().await;
                replica.grantd.refresh_key_sources().await;
                assert_eq!(asks(&replica, &old).await.status, status, "{cache_control}");
            }
        }
    }

    /// FED-10 FED-19: a hundred requests at once start one fetch, and all of them have its keys.
    async fn one_fetch_serves_a_hundred_requests(env) {
        let (replica, publisher, old) = worker(&env).await;
        assert_eq!(asks(&replica, &old).await.status, 200);
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        let new = key();
        publisher.now(Manner::Hangs);
        let (all, ()) = tokio::join!(
            futures_util::future::join_all((0..100).map(|_| asks(&replica, &new))),
            async {
                while publisher.fetches() < 2 {
                    tokio::task::yield_now().await;
                }
                publisher.now(Manner::keys(&[&new]));
            }
        );
        assert!(all.iter().all(|answer| answer.status == 200), "{:?}", all[0]);
        assert_eq!(publisher.fetches(), 2);
    }

    /// FED-10 FED-19: whatever strangers call their keys, the source is asked once in ten seconds.
    async fn a_flood_of_unknown_kids_fetches_once_in_ten_seconds(env) {
        let (replica, publisher, known) = worker(&env).await;
        assert_eq!(asks(&replica, &known).await.status, 200);
        for round in 1..=3 {
            for _ in 0..20 {
                asks(&replica, &key()).await.assert_error(401, "invalid_client");
            }
            assert_eq!(publisher.fetches(), round);
            env.clock.advance(Seconds::new(10));
            replica.follow().await;
        }
        assert_eq!(asks(&replica, &known).await.status, 200);
    }

    /// FED-19: each client has its own source, and no key of another counts, nor one that is registered beside it.
    async fn the_keys_of_one_source_are_those_of_one_client(env) {
        let (mine, other) = (key(), key());
        let publishers = [
            Publisher::start(Manner::keys(&[&mine])).await,
            Publisher::start(Manner::keys(&[&other])).await,
        ];
        let second = client("other", &publishers[1].lines(), &reads("pricing"));
        env.apply(&(publishers[0].catalog() + &second)).await;
        let replica = env.replica().await;
        asks(&replica, &other).await.assert_error(401, "invalid_client");
        let named = |key: &Key, client: &str| key.sign(&claims(client, client));
        assert_eq!(token(&replica, &named(&other, "other")).await.status, 200);
        token(&replica, &named(&mine, "other")).await.assert_error(401, "invalid_client");
        assert_eq!(asks(&replica, &mine).await.status, 200);
        assert_eq!(publishers.map(|it| it.fetches()), [1, 1]);
    }

    /// FED-09 FED-01: what names no such client, or is refused before its key is looked for, fetches nothing.
    async fn nothing_is_fetched_for_what_is_refused_anyway(env) {
        let (replica, publisher, key) = worker(&env).await;
        let stranger = key_named(&key, "https://127.0.0.1:1/jwks");
        for assertion in [
            key.sign(&claims("nobody", "1")),
            key.sign(&claims("Worker", "1")),
            key.sign_raw(&key.header("").replace("ES256", "HS256"), &claims("worker", "1").to_string()),
            "garbage".to_owned(),
        ] {
            token(&replica, &assertion).await.assert_error(401, "invalid_client");
        }
        assert_eq!(publisher.fetches(), 0);
        assert_eq!(token(&replica, &stranger).await.status, 200, "the header is not looked at");
        assert_eq!(publisher.fetches(), 1);
    }

    /// FED-14: a source that is retired is asked no more, and its keys prove nothing within a second.
    async fn a_retired_source_proves_nothing_and_is_not_asked(env) {
        let (replica, publisher, key) = worker(&env).await;
        assert_eq!(asks(&replica, &key).await.status, 200);
        let id = grantd::domain::identifier::ClientId::parse("worker").unwrap();
        let known = env.store.load_client(&id).await.unwrap().value.unwrap();
        env.retire(&known.credentials[0].id, false).await;
        replica.follow().await;
        asks(&replica, &key).await.assert_error(401, "invalid_client");
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
        env.clock.advance(Seconds::new(7200));
        replica.follow().await;
        replica.grantd.refresh_key_sources().await;
        asks(&replica, &key).await.assert_error(401, "invalid_client");
        assert_eq!(publisher.fetches(), 1);
    }

    async fn before_the_first_fetch_ends_well_nobody_can_tell(env) {
        let key = key();
        let publisher = Publisher::start(Manner::HangsUp).await;
        env.apply(&publisher.catalog()).await;
        let replica = env.replica().await;
        assert_unavailable(&asks(&replica, &key).await);
        publisher.now(Manner::keys(&[&key]));
        assert_unavailable(&asks(&replica, &key).await);
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        assert_eq!(asks(&replica, &key).await.status, 200);
        assert_eq!(publisher.fetches(), 2);
    }
}

/// An assertion by `key` whose header names a URL.
fn key_named(key: &Key, url: &str) -> String {
    let header = key.header(&format!(r#","jku":"{url}","x5u":"{url}""#));
    key.sign_raw(&header, &claims("worker", url).to_string())
}
