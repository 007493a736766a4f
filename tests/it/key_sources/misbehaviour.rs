//! Sources that fail, lie, or answer too much: the last good keys stay, and the log says once what was wrong.

use grantd::domain::timestamp::Seconds;
use grantd::operations::explain::explain_assertion;
use serde_json::{Value, json};

use super::publisher::Manner;
use super::{asks, asks_once, assert_unavailable, key, worker};
use crate::assertion::signer::{Key, claims, token};
use crate::harness::{Replica, on_both};

const JSON: &str = "content-type: application/json\r\n";

fn said(body: impl Into<String>) -> Manner {
    Manner::Says(JSON, body.into())
}

/// Each way to bring no keys, and a part of what is told of it.
fn failures(key: &Key) -> Vec<(Manner, &'static str)> {
    let jwk = Value::Object(key.jwk());
    let mut for_encryption = jwk.clone();
    for_encryption["use"] = json!("enc");
    vec![
        (Manner::HangsUp, "connection"),
        (Manner::Long(5 << 20), "larger than 1 MiB"),
        (
            Manner::Head("302 Found\r\nlocation: /elsewhere"),
            "answered 302, and redirects",
        ),
        (Manner::Head("500 Internal Server Error"), "answered 500"),
        (Manner::Head("204 No Content"), "answered 204"),
        (Manner::Head("200 OK"), "not one JSON text"),
        (
            Manner::Says(
                "content-type: text/html\r\n",
                "<html>Sign in</html>".to_owned(),
            ),
            "not one JSON text",
        ),
        (said("{}"), "no JWK set"),
        (said(r#"{"keys":[]}"#), "no key that verifies"),
        (
            said(json!({ "keys": [for_encryption] }).to_string()),
            "`use` is not sig",
        ),
        (Manner::set(&[jwk.clone(), jwk]), "have the kid"),
    ]
}

async fn later(replica: &Replica, seconds: u32, clock: &grantd::clock::Clock) {
    clock.advance(Seconds::new(seconds));
    replica.follow().await;
    replica.grantd.refresh_key_sources().await;
}

on_both! {
    /// FED-11: the last good set stays, a new key meanwhile is answered 503, and a word stands in `/readyz`.
    async fn the_last_good_keys_stay_while_their_source_fails(env) {
        let (replica, publisher, good) = worker(&env).await;
        assert_eq!(asks(&replica, &good).await.status, 200);
        let new = key();
        for (manner, told) in failures(&new) {
            publisher.now(manner);
            later(&replica, 3600, &env.clock).await;
            assert_eq!(asks(&replica, &good).await.status, 200, "{told}");
            assert_unavailable(&asks(&replica, &new).await);
            let degraded = replica.grantd.degraded();
            assert_eq!(degraded[0].what.as_str(), "key_sources");
            assert!(!degraded[0].blocks && degraded[0].message.contains(told), "{degraded:?}");
            assert!(degraded[0].message.contains("worker"), "{degraded:?}");
            publisher.now(Manner::keys(&[&good]));
            later(&replica, 60, &env.clock).await;
            assert_eq!(replica.grantd.degraded(), [], "{told}");
        }
    }

    /// FED-11: for a day, and no longer.
    async fn keys_that_nobody_could_refresh_for_a_day_prove_nothing(env) {
        let (replica, publisher, good) = worker(&env).await;
        assert_eq!(asks(&replica, &good).await.status, 200);
        publisher.now(Manner::Head("500 Internal Server Error"));
        later(&replica, 24 * 3600 - 1, &env.clock).await;
        assert_eq!(asks(&replica, &good).await.status, 200);
        later(&replica, 1, &env.clock).await;
        assert_unavailable(&asks(&replica, &good).await);
        publisher.now(Manner::keys(&[&good]));
        later(&replica, 60, &env.clock).await;
        assert_eq!(asks(&replica, &good).await.status, 200);
    }

    /// FED-10: who waits for a source that says nothing waits for two seconds at most.
    async fn a_source_that_hangs_holds_nobody_up(env) {
        let (replica, publisher, good) = worker(&env).await;
        publisher.now(Manner::Hangs);
        assert_unavailable(&asks_once(&replica, &good).await);
        publisher.now(Manner::keys(&[&good]));
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        assert_eq!(asks(&replica, &good).await.status, 200);
    }

    /// `grantd explain` fetches as a request does, and tells why it cannot.
    async fn explain_tells_why_keys_cannot_be_fetched(env) {
        let (replica, publisher, good) = worker(&env).await;
        publisher.now(Manner::Head("500 Internal Server Error"));
        let assertion = good.sign(&claims("worker", "explained"));
        let explained = explain_assertion(&replica.grantd, &assertion).await.unwrap();
        assert!(!explained.is_granted());
        assert!(explained.remedy.as_ref().unwrap().contains("it answered 500"), "{explained:?}");
        publisher.now(Manner::keys(&[&good]));
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        let explained = explain_assertion(&replica.grantd, &assertion).await.unwrap();
        assert_eq!(explained.outcome, "accepted", "{explained:?}");
        assert_eq!(token(&replica, &assertion).await.status, 200, "it was not spent");
    }

    /// FED-11: of a set with keys that are not for us the others count.
    async fn keys_for_something_else_do_no_harm(env) {
        let (replica, publisher, good) = worker(&env).await;
        let mut for_encryption = Value::Object(key().jwk());
        for_encryption["use"] = json!("enc");
        let symmetric = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "s" });
        publisher.now(Manner::set(&[for_encryption, symmetric, Value::Object(good.jwk())]));
        assert_eq!(asks(&replica, &good).await.status, 200);
        assert_eq!(replica.grantd.degraded(), []);
    }

    /// FED-11: a server that the named CA did not vouch for is none, whatever it serves.
    async fn a_server_of_another_ca_is_not_believed(env) {
        let (_, publisher, good) = worker(&env).await;
        let catalog = publisher.catalog().replace(&publisher.ca, &crate::mtls::ca_pem("another"));
        env.prune(&catalog).await;
        let replica = env.replica().await;
        assert_unavailable(&asks(&replica, &good).await);
        assert_eq!(publisher.fetches(), 0);
        let degraded = replica.grantd.degraded();
        assert!(degraded[0].message.contains("certificate"), "{degraded:?}");
    }
}

/// FED-11: once for each thing that is wrong, and once when it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_once_what_was_wrong() {
    let env = crate::harness::Env::new(crate::harness::Database::sqlite()).await;
    let (replica, publisher, good) = worker(&env).await;
    let id = grantd::domain::identifier::ClientId::parse("worker").unwrap();
    let known = env.store.load_client(&id).await.unwrap().value.unwrap();
    let mark = format!("credential=\"{}\"", known.credentials[0].id);
    let lines = crate::captured_log::watch(&mark);
    let of = |lines: &crate::captured_log::Watch, text: &str| {
        lines
            .lines()
            .iter()
            .filter(|line| line.contains(text))
            .count()
    };
    assert_eq!(asks(&replica, &good).await.status, 200);
    publisher.now(Manner::Head("500 Internal Server Error"));
    for _ in 0..3 {
        later(&replica, 3600, &env.clock).await;
    }
    assert_eq!(of(&lines, "could not be fetched"), 1, "{:?}", lines.lines());
    publisher.now(Manner::Head("404 Not Found"));
    later(&replica, 60, &env.clock).await;
    assert_eq!(of(&lines, "could not be fetched"), 2);
    publisher.now(Manner::keys(&[&good]));
    later(&replica, 60, &env.clock).await;
    assert_eq!(of(&lines, "can be fetched again"), 1);
}
