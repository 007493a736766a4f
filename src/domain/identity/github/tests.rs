use serde_json::json;

use super::*;
use crate::domain::trusted_issuer::TrustedIssuer;

fn told(subject: &str, claims: &Value, except: &Value) -> Vec<Advice> {
    let issuer = json!({ "id": "github", "preset": "github", "url": "https://github.example" });
    let issuer: TrustedIssuer = serde_json::from_value(issuer).unwrap();
    let identity =
        json!({ "issuer": "github", "subject": subject, "claims": claims, "except": except });
    let identity: Identity = serde_json::from_value(identity).unwrap();
    identity.advice_at(&issuer)
}

#[test]
fn an_identity_is_pinned_by_numbers_and_to_a_branch() {
    use Advice::{AnyBranch, ReusedName, ShortPattern};
    let main = || json!({ "repository_id": "74", "ref": "refs/heads/main" });
    let request = || Advice::Fork(PULL_REQUEST);
    for (subject, claims, expected) in [
        ("repo:acme@65/*:ref:refs/heads/main", json!({}), vec![]),
        ("repo:acme/shop:**", main(), vec![]),
        ("repo:acme/shop:ref:refs/heads/main", main(), vec![]),
        ("repo:acme/shop:*", main(), vec![ShortPattern]),
        ("repo:acme/*", main(), vec![ShortPattern]),
        ("repo:acme/*:ref:refs/heads/main", main(), vec![]),
        (
            "repo:acme/shop:ref:refs/heads/main",
            json!({}),
            vec![ReusedName],
        ),
        (
            "repo:acme/shop:environment:production",
            json!({ "repository_owner_id": "65" }),
            vec![request()],
        ),
        ("repository_id:74:ref:refs/heads/main", json!({}), vec![]),
        ("ref:refs/heads/main:repository_id:74", json!({}), vec![]),
        (
            "repository_id:*:ref:refs/heads/main",
            json!({}),
            vec![ReusedName],
        ),
        ("repo:acme@65/shop@74:release", json!({}), vec![AnyBranch]),
        (
            "repo:acme@/shop:release",
            json!({}),
            vec![ReusedName, AnyBranch],
        ),
        (
            "repo:acme/shop:release",
            json!({ "repository_id": "*" }),
            vec![ReusedName, AnyBranch],
        ),
        (
            "repo:acme@65/shop@74:release",
            json!({ "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main" }),
            vec![],
        ),
        (
            "repository_owner:acme",
            json!({}),
            vec![ReusedName, AnyBranch, request()],
        ),
    ] {
        assert_eq!(
            told(subject, &claims, &json!({})),
            expected,
            "{subject} {claims}"
        );
    }
}

#[test]
fn a_pattern_for_any_branch_or_environment_pins_nothing() {
    let is_pinned = |subject: &str, claim: &str, value: Value| {
        let mut claims = json!({ "repository_id": "74", "event_name": "push" });
        if !claim.is_empty() {
            claims[claim] = value;
        }
        let advice = told(subject, &claims, &json!({}));
        assert!(
            advice.iter().all(|it| *it == Advice::AnyBranch),
            "{subject} {advice:?}"
        );
        advice.is_empty()
    };
    for (part, pins) in [
        ("ref:**", false),
        ("ref:refs/**", false),
        ("ref:refs/heads/*", false),
        ("ref:refs/heads/**", false),
        ("ref:refs/heads/*/*", false),
        ("ref:refs/*/**", false),
        ("environment:*", false),
        ("environment:**", false),
        ("environment:*/*", false),
        ("**", false),
        ("ref:refs/heads/main", true),
        ("ref:refs/heads/release/*", true),
        ("ref:refs/tags/v*", true),
        ("environment:prod-*", true),
        ("environment:*:ref:refs/heads/main", true),
    ] {
        let subject = format!("repo:acme/shop:{part}");
        assert_eq!(is_pinned(&subject, "", json!(null)), pins, "{subject}");
    }
    let file = "acme/shop/.github/workflows/deploy.yml";
    for (claim, value, pins) in [
        ("ref", json!("refs/**"), false),
        ("ref", json!("refs/heads/*"), false),
        ("ref", json!("**"), false),
        ("ref", json!(["refs/heads/main", "refs/heads/**"]), false),
        ("environment", json!("*"), false),
        ("environment", json!(["production", "**"]), false),
        ("job_workflow_ref", json!("acme/**"), false),
        ("job_workflow_ref", json!(format!("{file}@**")), false),
        (
            "job_workflow_ref",
            json!(format!("{file}@refs/heads/*")),
            false,
        ),
        (
            "job_workflow_ref",
            json!(format!("{file}@refs/heads/main")),
            true,
        ),
        (
            "job_workflow_ref",
            json!("acme/shop/.github/workflows/*@refs/heads/main"),
            true,
        ),
        ("ref", json!(["refs/heads/main", "refs/tags/v*"]), true),
        ("ref", json!("refs/heads/release/*"), true),
        ("environment", json!("production"), true),
    ] {
        let told = is_pinned("repo:acme/shop:**", claim, value.clone());
        assert_eq!(told, pins, "{claim} {value}");
    }
}

/// FED-15. The identity has no other claims than these.
#[test]
fn an_identity_that_a_pull_request_from_a_fork_fulfils_is_told() {
    let events = |subject: &str, claims: &Value, except: &Value| {
        let advice = told(subject, claims, except).into_iter();
        let events = advice.filter_map(|it| match it {
            Advice::Fork(event) => Some(event),
            _ => None,
        });
        events.collect::<Vec<_>>().join(" ")
    };
    let environment = "repo:acme/lib:environment:production";
    let main = "repo:acme/shop:ref:refs/heads/main";
    let any = "repo:acme/shop:*";
    let by = |event: Value| json!({ "event_name": event });
    let at = |claim: &str, value: Value| json!({ claim: value });
    let none = || json!({});
    let file = "acme/shop/.github/workflows/deploy.yml";
    for (subject, claims, except, expected) in [
        // By the subject.
        (environment, none(), none(), "pull_request"),
        (
            "repo:acme/lib:environment:prod/eu",
            none(),
            none(),
            "pull_request",
        ),
        (
            "repo:acme/lib:environment:**",
            none(),
            none(),
            "pull_request",
        ),
        (
            "repo:acme/**:environment:prod-*",
            none(),
            none(),
            "pull_request",
        ),
        (
            "repository_id:74:environment:a",
            none(),
            none(),
            "pull_request",
        ),
        (any, none(), none(), "pull_request"),
        ("repo:acme/shop:**", none(), none(), "pull_request"),
        ("repo:acme/**", none(), none(), "pull_request"),
        ("repo:acme/**_request", none(), none(), "pull_request"),
        ("repo:acme/**:pull_*", none(), none(), "pull_request"),
        ("repo:acme/**/main", none(), none(), "pull_request"),
        (
            "repo:acme/shop:pull_request",
            none(),
            none(),
            "pull_request",
        ),
        (main, none(), none(), ""),
        ("repo:acme@65/shop@74:ref:refs/heads/**", none(), none(), ""),
        ("repo:acme/shop:ref:**", none(), none(), ""),
        ("repo:acme/**:ref:refs/heads/main", none(), none(), ""),
        ("repo:acme/*", none(), none(), ""),
        (
            &format!("job_workflow_ref:{file}@refs/heads/main"),
            none(),
            none(),
            "",
        ),
        // By the event.
        (environment, by(json!("push")), none(), ""),
        (environment, none(), by(json!("pull_request")), ""),
        (environment, none(), by(json!("pull_request*")), ""),
        (
            environment,
            none(),
            by(json!("pull_request_target")),
            "pull_request",
        ),
        (
            any,
            by(json!(["push", "pull_request"])),
            none(),
            "pull_request",
        ),
        (any, by(json!("push")), none(), ""),
        (main, by(json!("push")), none(), ""),
        (
            main,
            by(json!(["push", "pull_request_target"])),
            none(),
            "pull_request_target",
        ),
        (main, by(json!("*")), none(), "pull_request_target"),
        (
            environment,
            by(json!("pull_request*")),
            none(),
            "pull_request_target pull_request",
        ),
        // By what else such a token says.
        (environment, at("ref", json!("refs/heads/main")), none(), ""),
        (
            environment,
            at("ref", json!(["refs/heads/*", "refs/tags/**"])),
            none(),
            "",
        ),
        (
            environment,
            at("ref", json!("refs/**")),
            none(),
            "pull_request",
        ),
        (
            environment,
            at("ref", json!("refs/pull/7/merge")),
            none(),
            "pull_request",
        ),
        (environment, at("ref_type", json!("tag")), none(), ""),
        (environment, none(), at("ref", json!("refs/pull/**")), ""),
        (
            environment,
            none(),
            at("ref", json!("refs/pull/7/merge")),
            "pull_request",
        ),
        (
            environment,
            at("workflow_ref", json!(format!("{file}@refs/heads/main"))),
            none(),
            "",
        ),
        (
            environment,
            at("job_workflow_ref", json!(format!("{file}@refs/heads/*"))),
            none(),
            "pull_request",
        ),
        (
            environment,
            at("job_workflow_ref", json!(format!("{file}@**"))),
            none(),
            "pull_request",
        ),
    ] {
        assert_eq!(
            events(subject, &claims, &except),
            expected,
            "{subject} {claims} {except}"
        );
    }
}

#[test]
fn each_pattern_here_is_one() {
    let claims = ITS_CLAIMS.iter().map(|(_, all, _)| *all);
    let parts = PARTS.iter().flat_map(|(_, any)| *any);
    for pattern in claims.chain(parts).chain(ITS_SUBJECTS) {
        assert!(Glob::parse(pattern).is_ok(), "{pattern}");
    }
}
