//! Whole answers (status, headers, body) as snapshots: what clients see may change on purpose only.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::harness::*;

/// Members whose values differ from run to run.
const RANDOM: [&str; 6] = ["access_token", "jti", "kid", "x", "y", "n"];

/// Status, headers and body, with what is random replaced by its name.
fn rendered(answer: &Answer) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| match name.as_str() {
            "x-request-id" => format!("{name}: [x-request-id]"),
            _ => format!("{name}: {}", value.to_str().unwrap()),
        })
        .collect();
    headers.sort();
    let mut body = String::from_utf8(answer.body.clone()).unwrap();
    if let Ok(document) = serde_json::from_str(&body) {
        redact(&document, &mut body);
    }
    format!("{}\n{}\n\n{body}", answer.status, headers.join("\n"))
}

fn redact(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(value) if RANDOM.contains(&name.as_str()) => {
                        *text = text.replace(&format!("{value:?}"), &format!("\"[{name}]\""));
                    }
                    value => redact(value, text),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| redact(value, text)),
        _ => {}
    }
}

/// A few answers, each under its title.
struct Answers(String);

impl Answers {
    fn add(&mut self, title: &str, answer: &Answer) {
        // Writing to a String does not fail.
        let _ = write!(self.0, "=== {title}\n{}\n\n", rendered(answer));
    }
}

on_both! {
    async fn metadata_and_jwks(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mut answers = Answers(String::new());
        for path in ["/.well-known/oauth-authorization-server", "/oauth2/jwks"] {
            answers.add(&format!("GET {path}"), &replica.get(path).await);
        }
        insta::assert_snapshot!("metadata_and_jwks", answers.0);
    }

    async fn tokens(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mut answers = Answers(String::new());
        let issued = replica.token("reader", READER, "&scope=write+read").await;
        answers.add("a token", &issued);
        let token = issued.json()["access_token"].as_str().unwrap().to_owned();
        answers.add("an active token", &replica.introspect("api", API, &token).await);
        answers.add("another client's token", &replica.revoke("api", API, &token).await);
        answers.add("a revoked token", &replica.revoke("reader", READER, &token).await);
        answers.add("an inactive token", &replica.introspect("api", API, &token).await);
        insta::assert_snapshot!("tokens", answers.0);
    }

    async fn refusals(env) {
        env.apply(CATALOG).await;
        let starting = env.unloaded_replica(|_| {});
        let replica = env.replica().await;
        let mut answers = Answers(String::new());
        answers.add("not loaded", &starting.token("reader", READER, "").await);
        answers.add("an unknown client", &replica.token("nobody", READER, "").await);
        answers.add("a scope too many", &replica.token("reader", READER, "&scope=admin").await);
        let other = replica.token("reader", READER, "&audience=other").await;
        answers.add("an unknown audience", &other);
        answers.add("a client without grants", &replica.token("api", API, "").await);
        answers.add("an empty form", &replica.post("/oauth2/token", &[], "").await);
        answers.add("an unknown path", &replica.get("/nothing").await);
        answers.add("another method", &replica.get("/oauth2/token").await);
        let large = "a=".to_owned() + &"a".repeat(17 * 1024);
        answers.add("a large body", &replica.post("/oauth2/token", &[], &large).await);
        let packed = replica.post("/oauth2/token", &[("content-encoding", "gzip")], "a=b").await;
        answers.add("a packed body", &packed);
        let without_host = Request::get("/oauth2/jwks").body(Body::empty()).unwrap();
        answers.add("no host", &replica.send(without_host).await);
        insta::assert_snapshot!("refusals", answers.0);
    }
}
