//! `grantd explain --assertion`.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::check::{Chain, Check};
use grantd::operations::explain::{Explained, explain_assertion};
use serde_json::{Value, json};

use super::cases::assertion::{ID, Keys};
use super::stored;
use crate::assertion::signer::{Key, claims, token};
use crate::harness::*;
use crate::raw_sql::execute;

async fn explain(replica: &Replica, assertion: &str) -> Explained {
    explain_assertion(&replica.grantd, assertion).await.unwrap()
}

/// The checks that failed, each with what it found.
fn failed(explained: &Explained) -> Vec<(Check, String)> {
    let failed = explained
        .checks
        .iter()
        .filter(|it| it.passed == Some(false));
    failed
        .map(|it| (it.check, it.found.clone().unwrap_or_default()))
        .collect()
}

#[track_caller]
fn found(explained: &Explained, check: Check) -> (Option<bool>, &str) {
    let judged = explained.checks.iter().find(|it| it.check == check);
    let judged = judged.unwrap_or_else(|| panic!("{check:?} is not in {explained:?}"));
    (judged.passed, judged.found.as_deref().unwrap_or_default())
}

on_both! {
    async fn each_flaw_is_named_with_what_was_found(env) {
        let keys = Keys::register(&env).await;
        let replica = env.replica().await;
        let of_an_assertion = [Chain::AssertionForm, Chain::AssertionKey, Chain::AssertionClaims];
        let mut lacking: Vec<Check> = Check::ALL
            .iter()
            .copied()
            .filter(|it| of_an_assertion.contains(&it.chain()) && *it != Check::AssertionClientId)
            .collect();
        for (check, expected, assertion) in keys.flawed() {
            let explained = explain(&replica, &assertion).await;
            assert_eq!(failed(&explained), [(check, expected)], "{explained:?}");
            assert_eq!(explained.outcome, "invalid_client");
            assert!(explained.remedy.is_some());
            // As a request with it is.
            assert_eq!(token(&replica, &assertion).await.status, 401);
            lacking.retain(|it| *it != check);
        }
        assert_eq!(lacking, [], "checks without a flawed assertion");
        let nobody = explain(&replica, &keys.own.sign(&claims("nobody", "a jti"))).await;
        assert_eq!(failed(&nobody), [(Check::Client, "an unknown id".to_owned())]);
        // That is the one that no request is judged by alone.
        let no_sub = explain(&replica, &keys.with("sub", json!(null))).await;
        assert_eq!(no_sub.failed().unwrap().check, Check::AssertionClientId);
    }

    /// A request ends with the first; who corrects an assertion wants to know all of it.
    async fn all_flaws_of_one_assertion_are_named_at_once(env) {
        let keys = Keys::register(&env).await;
        let replica = env.replica().await;
        let stranger = Key::new(SigningAlgorithm::Es256);
        let mut claims = claims(ID, "a jti");
        claims["aud"] = json!("https://auth.example/oauth2/token");
        claims["exp"] = json!(START - 20);
        claims["iat"] = json!(START + 40);
        let assertion = stranger.sign_raw(&keys.own.header(""), &claims.to_string());
        let explained = explain(&replica, &assertion).await;
        let expected = [
            (Check::AssertionSignature, "one that this key did not make"),
            (Check::AssertionAudience, "https://auth.example/oauth2/token"),
            (Check::AssertionExpiry, "exp 20 s ago"),
            (Check::AssertionIssued, "iat 40 s ahead"),
        ];
        assert_eq!(failed(&explained), expected.map(|(check, found)| (check, found.to_owned())));
        let remedy = explained.remedy.unwrap();
        for text in ["register the key that the client signs with", "write the issuer into aud", "look at the client's clock"] {
            assert!(remedy.contains(text), "{text} is not in {remedy}");
        }
    }

    async fn what_is_right_is_told_with_the_skew_and_nothing_is_spent(env) {
        let keys = Keys::register(&env).await;
        let replica = env.replica().await;
        let mut claims = claims(ID, "a jti");
        claims["iat"] = json!(START - 3);
        let assertion = keys.own.sign(&claims);
        let before = stored(&env).await;
        for _ in 0..2 {
            let explained = explain(&replica, &assertion).await;
            assert!(explained.is_granted(), "{explained:?}");
            assert_eq!((explained.outcome.as_str(), explained.remedy.as_deref()), ("accepted", None));
            assert!(explained.checks.iter().all(|it| it.passed == Some(true)), "{explained:?}");
            for (check, text) in [
                (Check::AssertionClient, ID),
                (Check::AssertionAudience, ISSUER),
                (Check::AssertionExpiry, "exp 60 s ahead"),
                (Check::AssertionIssued, "iat 3 s ago"),
                (Check::AssertionBegin, "no nbf"),
                (Check::AssertionJti, "a jti"),
                (Check::AssertionOnce, "not used yet"),
            ] {
                assert_eq!(found(&explained, check), (Some(true), text), "{check:?}");
            }
            let told = json!(explained);
            let credential = env.credentials(ID).await[0].id.to_string();
            for (name, value) in [
                ("client", json!(ID)),
                ("credential", json!(credential)),
                ("kid", json!(keys.own.kid())),
                ("alg", json!("ES256")),
                ("issued_at", json!("2025-12-31T23:59:57Z")),
                ("now", json!("2026-01-01T00:00:00Z")),
                ("skew_seconds", json!(-3)),
            ] {
                assert_eq!(told[name], value, "{name}");
            }
        }
        replica.grantd.write_waiting().await;
        assert_eq!(stored(&env).await, before);
        assert_eq!(token(&replica, &assertion).await.status, 200, "it is as good as before");
    }

    /// On the replica that spent it and on another; also when it has expired since.
    async fn an_assertion_that_is_spent_is_told_to_be(env) {
        let keys = Keys::register(&env).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let assertion = keys.own.sign(&claims(ID, "a jti"));
        assert_eq!(token(&here, &assertion).await.status, 200);
        for replica in [&here, &there] {
            let explained = explain(replica, &assertion).await;
            let used = (Check::AssertionOnce, "one that was used before".to_owned());
            assert_eq!(failed(&explained), [used]);
            assert_eq!(explained.outcome, "invalid_client");
        }
        env.clock.advance(grantd::domain::timestamp::Seconds::new(90));
        there.follow().await;
        let explained = explain(&there, &assertion).await;
        let checks: Vec<Check> = failed(&explained).into_iter().map(|it| it.0).collect();
        assert_eq!(checks, [Check::AssertionExpiry, Check::AssertionOnce]);
    }

    async fn one_that_is_older_than_what_the_database_lost_is_told(env) {
        let keys = Keys::register(&env).await;
        let lost = format!("UPDATE feed_head SET lost_at = {}", START + 1);
        execute(&env.database, &lost).await;
        let replica = env.replica().await;
        let explained = explain(&replica, &keys.own.sign(&claims(ID, "a jti"))).await;
        let found = "an older one, which may have been used".to_owned();
        assert_eq!(failed(&explained), [(Check::AssertionSinceLoss, found)]);
    }

    async fn what_is_no_assertion_at_all_is_told_by_its_form(env) {
        Keys::register(&env).await;
        let replica = env.replica().await;
        for text in ["", "..", "e30.e30.", &"a".repeat(20_000), "{}"] {
            let explained = explain(&replica, text).await;
            let failed = explained.failed().unwrap();
            assert_eq!(failed.check, Check::AssertionForm, "{text:.20}");
            assert_eq!(json!(explained)["alg"], Value::Null);
        }
    }
}
