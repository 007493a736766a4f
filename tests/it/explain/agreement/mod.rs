//! That a request which nobody sent and the same one that a client sends never disagree: over generated catalogs and
//! requests, both are granted the same or refused for the same check.

mod generated;
mod sent;

use std::cell::RefCell;
use std::collections::BTreeMap;

use grantd::domain::client::AuthMethod;
use grantd::domain::decision::Judged;
use grantd::operations::explain::{Explained, Supposed, explain_unsent};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::by_id::{explained, request_id};
use crate::harness::*;
use crate::mtls::cas;
use generated::{Asked, Case};
use sent::Sender;

/// Catalogs that are tried, each with a few requests.
const CASES: u32 = 60;

/// A request as it was decided.
#[derive(Debug, PartialEq)]
struct Decided {
    outcome: String,
    /// The check that failed, what it found, and the remedy.
    failed: Option<(String, Option<String>, Option<String>)>,
    /// The checks that need no sender and were made, with whether each passed: known of what was refused.
    checks: Option<Vec<(String, bool)>>,
    /// Header and claims of the token, how long it lives, and its type.
    token: Option<(Value, Value, Value, Value)>,
}

impl Decided {
    fn of(explained: &Explained) -> Self {
        let failed = explained.failed().map(|it| {
            let id = json!(it)["id"].as_str().unwrap().to_owned();
            (id, it.found.clone(), explained.remedy.clone())
        });
        let would = explained.about.iter().find(|it| it.0 == "would_issue");
        let would = would.map_or(&Value::Null, |it| &it.1);
        let token = would.is_object().then(|| {
            let of = |name: &str| would[name].clone();
            (
                of("header"),
                comparable(of("claims")),
                of("lifetime"),
                of("token_type"),
            )
        });
        Self {
            outcome: explained.outcome.clone(),
            checks: failed.is_some().then(|| judged_without_a_sender(explained)),
            failed,
            token,
        }
    }
}

/// Those that were not reached are left out: what refuses a request before its client is looked at does not know how the
/// client would have proved itself.
fn judged_without_a_sender(explained: &Explained) -> Vec<(String, bool)> {
    let checks = explained.checks.iter();
    let checks = checks.filter(|it| it.check.needs_no_sender());
    let told = |it: &Judged| Some((json!(it)["id"].as_str()?.to_owned(), it.passed?));
    checks.filter_map(told).collect()
}

/// The claims without what is random in them, and what of a key only its proof tells.
fn comparable(mut claims: Value) -> Value {
    let jti = claims["jti"].as_str().unwrap();
    claims["jti"] = jti.split_once('.').unwrap().0.into();
    if let Some(jkt) = claims["cnf"].get_mut("jkt") {
        *jkt = "of a proof".into();
    }
    claims
}

/// What is not known of a request that was not sent: where the client has nothing to prove itself with, which wrong thing
/// it would send.
fn without_what_was_sent(decided: Decided) -> Decided {
    let failed = decided.failed.map(|(check, _, _)| (check, None, None));
    Decided {
        failed,
        checks: None,
        ..decided
    }
}

async fn sent(env: &Env, sender: &Sender<'_>, case: &Case, asked: &Asked) -> Decided {
    let answer = sender.send(case, asked).await;
    if answer.status == 200 {
        let body = answer.json();
        let (header, claims) = decoded(body["access_token"].as_str().unwrap());
        let token = (
            header,
            comparable(claims),
            body["expires_in"].clone(),
            body["token_type"].clone(),
        );
        return Decided {
            outcome: "issued".to_owned(),
            failed: None,
            checks: None,
            token: Some(token),
        };
    }
    sender.replica.grantd.write_waiting().await;
    let explained = explained(env, &request_id(&answer)).await;
    assert_eq!(explained.outcome, answer.error(), "{answer:?}");
    Decided::of(&explained)
}

async fn supposed(sender: &Sender<'_>, case: &Case, asked: &Asked) -> Decided {
    let scope = asked.scope.as_deref();
    let audience = asked.audience.map(|at| case.audience_id(at));
    let request = Supposed {
        client: &case.client_id(),
        method: asked.method,
        grant: asked.grant,
        subject_token: None,
        scope: scope.filter(|it| !it.is_empty()),
        audience: audience.as_deref(),
        brings_proof: asked.dpop,
    };
    let caller = sent::caller(asked);
    let explained = explain_unsent(&sender.replica.grantd, request, &caller).await;
    Decided::of(&explained.unwrap())
}

/// Gives the outcomes.
async fn check(env: &Env, replica: &Replica, case: &Case) -> Result<Vec<String>, TestCaseError> {
    let mut outcomes = Vec::new();
    let sender = Sender::register(env, replica, case).await;
    for asked in &case.asked {
        let supposed = supposed(&sender, case, asked).await;
        let sent = sent(env, &sender, case, asked).await;
        let (supposed, sent) = if case.has_credential_for(asked.method) {
            (supposed, sent)
        } else {
            (without_what_was_sent(supposed), without_what_was_sent(sent))
        };
        if supposed != sent {
            let told = format!("{asked:?}\nsupposed: {supposed:?}\nsent: {sent:?}");
            return Err(TestCaseError::fail(told));
        }
        outcomes.push(sent.outcome);
    }
    Ok(outcomes)
}

on_both! {
    async fn a_dry_run_and_a_real_request_never_disagree(env) {
        let replica = env.replica().await;
        replica.grantd.client_cas().trust(cas(&sent::ca().pem()));
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let seen = RefCell::new(BTreeMap::<String, u32>::new());
        let note = |what: &str| *seen.borrow_mut().entry(what.to_owned()).or_default() += 1;
        let result = TestRunner::new(config).run(&generated::cases(), |case| {
            let checking = check(&env, &replica, &case);
            let outcomes = block_in_place(|| Handle::current().block_on(checking))?;
            let methods = case.asked.iter().map(|it| it.method.as_str());
            for what in outcomes.iter().map(String::as_str).chain(methods) {
                note(what);
            }
            Ok(())
        });
        if let Err(error) = result {
            panic!("{error}");
        }
        // All of this came about, so that the property says something.
        let outcomes = ["issued", "invalid_client", "invalid_scope", "invalid_target", "unauthorized_client"];
        let methods = AuthMethod::REGISTRABLE.iter().map(|it| it.as_str());
        for what in methods.chain(outcomes) {
            assert!(seen.borrow().contains_key(what), "{what} is not among {seen:?}");
        }
    }
}
