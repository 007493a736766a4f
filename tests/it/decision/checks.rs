//! That the audit event of a refusal keeps each check of the request: passed, failed, not reached.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::check::Check;
use grantd::domain::decision::{Checks, Judged};

use super::Asker;
use crate::assertion::signer::{self, Key, TYPE};
use crate::harness::*;
use crate::raw_sql;

/// The checks of the one event that was kept of a request.
async fn kept(env: &Env, replica: &Replica, request_id: &str) -> Vec<Judged> {
    replica.grantd.write_waiting().await;
    let all = raw_sql::texts(&env.database, "SELECT details FROM audit_events").await;
    let of_it = all.iter().filter(|details| details.contains(request_id));
    let [details] = of_it.collect::<Vec<_>>()[..] else {
        panic!("not one event: {all:?}");
    };
    assert!(details.len() < 2048, "{} bytes: {details}", details.len());
    let details: serde_json::Value = serde_json::from_str(details).unwrap();
    let checks: Checks = serde_json::from_value(details["checks"].clone()).unwrap();
    checks.list()
}

#[track_caller]
fn assert_judged(all: &[Judged], expected: &[(Check, Option<bool>, &str)]) {
    for (check, passed, found) in expected {
        let judged = all.iter().find(|it| it.check == *check);
        let Some(judged) = judged else {
            panic!("{check:?} is not among {all:?}");
        };
        let told = (judged.passed, judged.found.as_deref().unwrap_or_default());
        assert_eq!(told, (*passed, *found), "{check:?}");
    }
}

fn request_id(answer: &Answer) -> String {
    answer.headers["x-request-id"].to_str().unwrap().to_owned()
}

on_both! {
    async fn a_refused_scope_keeps_all_that_passed_before_it(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let (answer, _) = asker.token("&audience=pricing&scope=delete").await;
        answer.assert_error(400, "invalid_scope");
        let checks = kept(&env, &replica, &request_id(&answer)).await;
        let source = asker.peer.ip().to_string();
        let credential = env.credentials("reader").await[0].id.to_string();
        let (passed, failed) = (Some(true), Some(false));
        assert_judged(&checks, &[
            (Check::Proxy, passed, &source),
            (Check::GrantType, passed, "client_credentials"),
            (Check::Client, passed, "reader"),
            (Check::SecretTimes, passed, &credential),
            (Check::MethodRegistered, passed, "client_secret_basic"),
            (Check::ScopeForm, passed, ""),
            (Check::Binding, None, ""),
        ]);
        let found: Vec<_> = checks.iter().filter(|it| it.passed == failed).collect();
        assert!(matches!(found[..], [it] if it.check.name() == "scope" && it.found.is_some()), "{found:?}");
        let unheard_of = [Check::TokenServedBy, Check::AssertionOnce, Check::DpopOnce, Check::Certificate];
        assert!(checks.iter().all(|it| !unheard_of.contains(&it.check)), "{checks:?}");
    }

    async fn a_refused_assertion_keeps_what_was_not_reached(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        env.apply(&signer::catalog(&[&key], "")).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let mut claims = signer::claims("worker", "a jti");
        claims["aud"] = "https://other.example".into();
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={}",
            key.sign(&claims)
        );
        let (answer, line) = asker.post("/oauth2/token", &[], &form).await;
        let checks = kept(&env, &replica, &request_id(&answer)).await;
        let credential = env.credentials("worker").await[0].id.to_string();
        assert_judged(&checks, &[
            (Check::AssertionForm, Some(true), ""),
            (Check::AssertionLiveKey, Some(true), &credential),
            (Check::AssertionClient, Some(true), ""),
            (Check::AssertionAudience, Some(false), "https://other.example"),
            (Check::AssertionExpiry, None, ""),
            (Check::AssertionOnce, None, ""),
            (Check::Target, None, ""),
        ]);
        assert!(line.contains(&format!("credential=\"{credential}\"")), "{line}");
    }
}
