//! Alerts: each is one event an hour for one object, whoever sees it.

use grantd::config::settings::MutualTls;
use grantd::crypto::certificates::made::{CertificateKey, ThrowAwayCa};
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::timestamp::{Seconds, Timestamp};
use serde_json::{Value, json};

use super::events;
use crate::assertion::signer::{self, Key, claims};
use crate::captured_log::watch;
use crate::federation::{Platform, asks};
use crate::harness::*;
use crate::key_sources::publisher::Manner;
use crate::raw_sql;
use crate::token::with_clients;

const HOUR: u32 = 3600;
/// How long the certificates of a throw-away CA are valid.
const SERVER_DAYS: u32 = 800;
const CA_DAYS: u32 = 3650;

/// A client of a name of its own, so that the log tells which lines are its own.
fn client() -> String {
    format!("client{}", uuid::Uuid::new_v4().simple())
}

fn with_secret(client: &str, more: &str) -> String {
    let secrets = format!(
        "secrets = [{{ value = \"a secret of 1 client\"{more} }}, \"another secret of 1\"]"
    );
    with_clients(&[(client, &secrets)])
}

async fn write(replica: &Replica) {
    replica.grantd.write_waiting().await;
}

#[track_caller]
fn assert_one(events: &[(u64, String, Value)], (count, target): (u64, &str), object: &str) {
    let [event] = events else {
        panic!("{events:?}")
    };
    assert_eq!((event.0, event.1.as_str()), (count, target), "{events:?}");
    assert!(
        event.2["object"].as_str().unwrap().contains(object),
        "{events:?}"
    );
}

on_both! {
    async fn two_replicas_write_one_event_an_hour_with_a_count_and_a_line_each(env) {
        let client = client();
        env.apply(&with_secret(&client, &format!(", retired_at = {START}"))).await;
        let replicas = [env.replica().await, env.replica().await];
        let log = watch(&format!("alert=\"retired_credential_used\" client=\"{client}\""));
        for replica in &replicas {
            for _ in 0..3 {
                replica.token(&client, "a secret of 1 client", "").await.assert_error(401, "invalid_client");
            }
            write(replica).await;
        }
        let written = events(&env, "retired_credential_used").await;
        assert_one(&written, (6, &client), "");
        assert!(written[0].2["request_id"].is_string(), "{written:?}");
        assert_eq!(log.lines().len(), 2);
        assert!(log.lines().iter().all(|line| line.contains("WARN") && line.contains("count=1")));

        env.clock.advance(Seconds::new(HOUR));
        replicas[0].follow().await;
        replicas[0].token(&client, "a secret of 1 client", "").await;
        write(&replicas[0]).await;
        let written = events(&env, "retired_credential_used").await;
        assert_eq!(written.iter().map(|it| it.0).collect::<Vec<_>>(), [6, 1]);
        assert!(log.lines()[2].contains("count=3"), "two since its last line, and this one");
    }

    async fn an_expired_credential_and_one_that_expires_are_told(env) {
        let client = client();
        env.apply(&with_secret(&client, &format!(", expires_at = {}", START + 20 * 24 * 3600))).await;
        let replica = env.replica().await;
        replica.grantd.look_out().await;
        write(&replica).await;
        assert_eq!(events(&env, "credential_expires").await.len(), 0);
        env.clock.advance(Seconds::new(7 * 24 * HOUR));
        replica.follow().await;
        for _ in 0..3 {
            replica.grantd.look_out().await;
        }
        write(&replica).await;
        let credentials = env.credentials(&client).await;
        let id = credentials.iter().find(|it| it.expires_at.is_some()).unwrap().id.to_string();
        let written = events(&env, "credential_expires").await;
        assert_one(&written, (1, &client), &id);
        assert_eq!(written[0].2["expires_at"], "2026-01-21T00:00:00Z");
        env.clock.advance(Seconds::new(14 * 24 * HOUR));
        replica.follow().await;
        replica.token(&client, "a secret of 1 client", "").await.assert_error(401, "invalid_client");
        replica.grantd.look_out().await;
        write(&replica).await;
        assert_one(&events(&env, "expired_credential_used").await, (1, &client), &id);
        assert_eq!(events(&env, "credential_expires").await.len(), 1);
    }

    async fn an_assertion_that_is_used_twice_is_told(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        env.apply(&signer::catalog(&[&key], "")).await;
        let replica = env.replica().await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(signer::token(&replica, &assertion).await.status, 200);
        write(&replica).await;
        assert_eq!(events(&env, "assertion_replayed").await.len(), 0);
        signer::token(&replica, &assertion).await.assert_error(401, "invalid_client");
        write(&replica).await;
        assert_one(&events(&env, "assertion_replayed").await, (1, "worker"), "");
    }

    async fn old_keys_of_an_issuer_are_told(env) {
        let platform = Platform::ci().await;
        env.apply(&(CATALOG.to_owned() + &platform.lines(""))).await;
        let replica = env.replica().await;
        let look = async || {
            replica.follow().await;
            replica.grantd.look_out().await;
            write(&replica).await;
            events(&env, "issuer_keys_old").await
        };
        asks(&replica, &platform.token(&json!({})), "").await;
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        env.clock.advance(Seconds::new(HOUR - 1));
        replica.grantd.refresh_key_sources().await;
        assert_eq!(look().await.len(), 0);
        env.clock.advance(Seconds::new(2));
        for _ in 0..2 {
            let written = look().await;
            assert_one(&written, (1, ""), "ci");
            assert!(written[0].2["found"].as_str().unwrap().contains("it answered 500"), "{written:?}");
        }
        platform.publisher.now(Manner::keys(&[&platform.key]));
        env.clock.advance(Seconds::new(HOUR));
        replica.grantd.refresh_key_sources().await;
        assert_eq!(look().await.len(), 1, "it can be fetched again");
    }

    async fn a_client_over_its_budget_is_told(env) {
        env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nmax_tokens_per_minute = 1")).await;
        let replica = env.replica().await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        replica.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
        write(&replica).await;
        assert_one(&events(&env, "over_budget").await, (1, "reader"), "");
    }

    /// Somebody guesses its secret, or it has a wrong one.
    async fn a_client_past_its_failures_is_told(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget.failures = 2).await;
        for _ in 0..2 {
            replica.token("reader", "a wrong secret of 1", "").await.assert_error(401, "invalid_client");
        }
        write(&replica).await;
        assert_eq!(events(&env, "over_budget").await.len(), 0);
        replica.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
        write(&replica).await;
        assert_one(&events(&env, "over_budget").await, (1, "reader"), "");
    }

    /// Who names a client that is none gets no alert of it.
    async fn strangers_raise_no_alert(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.token("nobody", "a secret of 1 client", "").await;
        replica.token("reader", "a wrong secret of 1", "").await;
        replica.grantd.look_out().await;
        write(&replica).await;
        let alerts = "SELECT action FROM audit_events WHERE kind = 'alert'";
        assert_eq!(raw_sql::texts(&env.database, alerts).await, [""; 0]);
    }

    async fn a_key_that_is_needed_within_a_day_and_not_there_is_told(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let look = async || {
            let replica = env.replica().await;
            replica.grantd.look_out().await;
            write(&replica).await;
            events(&env, "signing_key_missing").await
        };
        assert_eq!(look().await.len(), 0, "its turn is far away");
        env.clock.advance(Seconds::new(29 * 24 * HOUR + HOUR));
        assert_one(&look().await, (1, ""), "ES256");
        // The next key is announced, and an hour later nothing is told any more.
        replica.follow().await;
        assert!(replica.grantd.rotate_keys().await.unwrap());
        env.clock.advance(Seconds::new(HOUR));
        assert_eq!(look().await.len(), 1);
    }

    /// Of a listener and of a client CA: the first that ends of each file.
    async fn a_certificate_that_expires_is_told(env) {
        env.apply(CATALOG).await;
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let now = Timestamp::from_unix(START);
        let key = CertificateKey::generate().unwrap();
        let ca = ThrowAwayCa::new(CertificateKey::generate().unwrap());
        let certificate = file("server.pem", &ca.server(&key, &["localhost"], now).unwrap());
        let key = file("server.key", &key.to_pem());
        let cas = vec![file("ca.pem", &ca.certificate(now).unwrap())];
        let replica = env.replica_with(|settings| {
            settings.public.tls_certificate_file = Some(certificate);
            settings.public.tls_key_file = Some(key);
            settings.mtls = Some(MutualTls::at_proxies(cas, None));
        }).await;
        let look = async || {
            replica.follow().await;
            replica.grantd.look_out().await;
            write(&replica).await;
            events(&env, "certificate_expires").await
        };
        let (of_server, of_ca) = (SERVER_DAYS, CA_DAYS);
        env.clock.advance(Seconds::new((of_server - 15) * 24 * HOUR));
        assert_eq!(look().await.len(), 0);
        env.clock.advance(Seconds::new(2 * 24 * HOUR));
        assert_one(&look().await, (1, ""), "public");
        env.clock.advance(Seconds::new((of_ca - of_server) * 24 * HOUR));
        let written = look().await;
        assert_one(&written[1..], (1, ""), "ca.pem");
    }

    async fn clocks_that_are_apart_are_told(env) {
        env.apply(CATALOG).await;
        let (near, _) = env.replica_apart(1).await;
        near.grantd.look_out().await;
        write(&near).await;
        assert_eq!(events(&env, "clock_apart").await.len(), 0);
        let (apart, _) = env.replica_apart(40).await;
        apart.grantd.look_out().await;
        write(&apart).await;
        assert_one(&events(&env, "clock_apart").await, (1, ""), "");
    }
}
