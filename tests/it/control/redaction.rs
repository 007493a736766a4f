//! Whatever a client puts where: nothing that is secret comes out of the control listener.

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::assertion::signer::{self, Key};
use crate::dpop::Prover;

/// A secret of a client, one that nobody knows, one that looks like those that grantd makes: all may be told from ids, so
/// that the log hides them, too, wherever they stand.
const MARKS: [&str; 3] = [
    "mark-0f-the-reader-71",
    "kJ8vQ2mZx7Lw4Rt9Yb3N",
    "grantd_k3v9x0q2ma_kJ8vQ2mZ",
];

/// Requests that carry `mark` in every place that there is.
async fn put_everywhere(lab: &Lab, mark: &str) {
    let token = "/oauth2/token";
    let post = async |headers: &[(&str, &str)], form: &str| {
        lab.replica.post(token, headers, form).await;
    };
    let encoded = form_encoded(mark);
    let grant = "grant_type=client_credentials";
    for (id, secret) in [("reader", mark), (mark, "reader"), (mark, mark)] {
        post(&[("authorization", &basic(id, secret))], grant).await;
        let (id, secret) = (form_encoded(id), form_encoded(secret));
        post(
            &[],
            &format!("{grant}&client_id={id}&client_secret={secret}"),
        )
        .await;
    }
    for broken in [
        basic_raw(mark),
        format!("Basic {mark}"),
        format!("Basic reader:{mark}"),
        format!("Basic {}", basic_raw(&format!("reader:{mark}%"))),
        format!("Bearer {mark}"),
        mark.to_owned(),
    ] {
        post(&[("authorization", &broken)], grant).await;
        post(
            &[("authorization", &broken), ("authorization", &broken)],
            grant,
        )
        .await;
    }
    for name in [
        "grant_type",
        "scope",
        "resource",
        "audience",
        "client_id",
        "client_assertion",
        "client_assertion_type",
        "token",
        "token_type_hint",
        "password",
        "code",
        "x",
    ] {
        for form in [
            format!("{grant}&client_id=reader&client_secret=x&{name}={encoded}"),
            format!("{name}={encoded}"),
            format!("{name}=x+{encoded}"),
            format!("{name}=a&{name}={encoded}"),
            format!("{name}={encoded}%zz"),
        ] {
            for path in [token, "/oauth2/introspect", "/oauth2/revoke"] {
                lab.replica.post(path, &[], &form).await;
            }
        }
    }
    for form in [
        encoded.clone(),
        format!("{encoded}=1"),
        format!("{{\"client_secret\":\"{mark}\"}}"),
        format!("<a>{mark}</a>"),
    ] {
        post(&[], &form).await;
        post(&[("content-type", "application/json")], &form).await;
    }
    for header in [
        "user-agent",
        "accept",
        "dpop",
        "cookie",
        "x-api-key",
        "traceparent",
        "referer",
        "x-forwarded-for",
        "content-type",
        "via",
    ] {
        for value in [
            mark.to_owned(),
            format!("a/1 {mark}"),
            format!("{mark}, {mark}"),
            format!("a.{mark}.c"),
        ] {
            post(&[(header, &value)], grant).await;
        }
    }
    // No name of a header has capitals, so a client that puts a secret there sends it changed.
    let name = mark.to_lowercase();
    post(&[(&name, mark)], grant).await;
    for path in [
        format!("{token}?client_secret={encoded}"),
        format!("{token}?{encoded}"),
        format!("/oauth2/jwks?a={encoded}"),
        format!("{token}/{encoded}"),
    ] {
        lab.replica.post(&path, &[], grant).await;
        lab.replica.get(&path).await;
    }
}

/// Everything that the control listener shows.
async fn shown(lab: &Lab) -> Vec<String> {
    let mut shown = Vec::new();
    for (line, body) in [
        ("GET /_test", ""),
        ("GET /_test/openapi.json", ""),
        ("GET /_test/clock", ""),
        ("GET /_test/faults", ""),
        ("GET /_test/requests", ""),
        ("GET /_test/requests?outcome=invalid_client", ""),
        ("POST /_test/requests/await", r#"{"count":1}"#),
        (
            "POST /_test/requests/await",
            r#"{"count":1000,"within":"1ms"}"#,
        ),
        ("GET /_test/clients/reader/waste", ""),
    ] {
        let (status, told) = lab.ask(line, body).await;
        assert!([200, 408].contains(&status), "{line}: {told}");
        shown.push(told.to_string());
    }
    shown
}

on_both! {
    async fn a_secret_appears_nowhere_wherever_it_was_put(env) {
        let [of_reader, ..] = MARKS;
        let lab = Lab::new(env, &CATALOG.replace(READER, of_reader)).await;
        for mark in MARKS {
            put_everywhere(&lab, mark).await;
            for told in shown(&lab).await {
                let around = told.find(mark).map(|at| &told[at.saturating_sub(200)..at + mark.len()]);
                assert_eq!(around, None);
            }
            let requests = lab.requests("").await;
            assert!(requests.len() > 200, "{}", requests.len());
            lab.ask("DELETE /_test/requests", "").await;
        }
        lab.replica.issued("reader", of_reader, "").await;
    }

    async fn tokens_assertions_and_proofs_appear_nowhere(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lab = Lab::new(env, &signer::catalog(&[&key], "")).await;
        let token = lab.replica.issued("reader", READER, "").await;
        let (assertion, proof) = (key.sign(&signer::claims("worker", "1")), Prover::new().right());
        for mark in [&token, &assertion, &proof] {
            put_everywhere(&lab, mark).await;
        }
        let signature_of = |jws: &str| jws.rsplit_once('.').unwrap().1.to_owned();
        for told in shown(&lab).await {
            for mark in [&token, &assertion, &proof] {
                assert!(!told.contains(mark.as_str()) && !told.contains(&signature_of(mark)), "{told}");
            }
        }
    }

    async fn an_opaque_token_appears_nowhere(env) {
        let opaque = CATALOG.replacen("served_by", "format = \"opaque\"\nserved_by", 1);
        let lab = Lab::new(env, &opaque).await;
        let token = lab.replica.issued("reader", READER, "").await;
        let (prefix, sealed) = token.split_at(10);
        assert_eq!(prefix, "grantd_at_");
        put_everywhere(&lab, &token).await;
        for told in shown(&lab).await {
            assert!(!told.contains(prefix) && !told.contains(sealed), "{told}");
        }
    }

    /// A secret may stand in a claim, too, where ids are shown as they came.
    async fn a_known_secret_in_a_claim_is_hidden(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let [secret, ..] = MARKS;
        let catalog = signer::catalog(&[&key], "").replace(READER, secret);
        let lab = Lab::new(env, &catalog).await;
        for claim in ["jti", "iss", "sub", "aud", "x"] {
            let mut claims = signer::claims("worker", "1");
            claims[claim] = json!(secret);
            signer::token(&lab.replica, &key.sign(&claims)).await;
        }
        let told = json!(lab.requests("").await).to_string();
        assert!(told.contains("assertion") && !told.contains(secret), "{told}");
    }
}
