//! Tokens of trusted issuers.

use grantd::domain::check::Check;
use serde_json::{Value, json};

use super::Cases;
use crate::federation::{Platform, asks, workload};
use crate::harness::*;
use crate::raw_sql::execute;

/// A workload that a token of the platform is, and one whose identity is retired.
async fn register(env: &Env, platform: &Platform) -> String {
    let workloads = workload(
        "job",
        "ci",
        "subject = \"repo:acme/shop:**\"\nclaims = { ref = \"refs/heads/main\" }",
    ) + &workload("old-job", "ci", "subject = \"repo:acme/old:**\"");
    env.apply(&(CATALOG.to_owned() + &platform.lines("") + &workloads))
        .await;
    let id = env.credentials("old-job").await[0].id.clone();
    env.retire(&id, false).await;
    id.to_string()
}

/// A token that each check refuses which needs no second one, with what that finds.
fn flawed(platform: &Platform, dead: &str) -> Vec<(Check, String, String)> {
    let right = platform.claims(&json!({})).to_string();
    let under = |header: &str| platform.key.sign_raw(header, &right);
    let usual = platform.key.header("");
    let stranger =
        crate::assertion::signer::Key::new(grantd::domain::algorithm::SigningAlgorithm::Es256);
    let of_token = [
        (
            Check::ForeignIssuer,
            "https://other.example",
            platform.token(&json!({ "iss": "https://other.example" })),
        ),
        (
            Check::ForeignType,
            "at+jwt",
            under(&platform.key.header(r#","typ":"at+jwt""#)),
        ),
        (
            Check::ForeignKey,
            "key-1, of ci",
            under(r#"{"alg":"ES256","kid":"key-1"}"#),
        ),
        (
            Check::ForeignAlgorithm,
            "ES384",
            under(&usual.replace("ES256", "ES384")),
        ),
        (
            Check::ForeignSignature,
            "one that this key did not make",
            stranger.sign_raw(&usual, &right),
        ),
    ];
    let elsewhere = "https://other.example";
    let of_claims = [
        (Check::ForeignSubject, "no sub", json!({ "sub": null })),
        (
            Check::ForeignAudience,
            &format!("{elsewhere}, not {ISSUER}"),
            json!({ "aud": elsewhere }),
        ),
        (
            Check::ForeignExpiry,
            "exp 60 s ago",
            json!({ "exp": START - 60 }),
        ),
        (
            Check::ForeignLifetime,
            "7200 s, more than 1h",
            json!({ "exp": START + 7200 }),
        ),
        (
            Check::ForeignBegin,
            "nbf 60 s ahead",
            json!({ "nbf": START + 60 }),
        ),
        (
            Check::ForeignJti,
            "jti in another form",
            json!({ "jti": "" }),
        ),
        (
            Check::Identity,
            "of ci: job: ref refs/heads/x, not refs/heads/main",
            json!({ "ref": "refs/heads/x" }),
        ),
        (
            Check::IdentityLive,
            &format!("{dead}, retired"),
            json!({ "sub": "repo:acme/old:x" }),
        ),
    ];
    let of_token = of_token.map(|(check, found, token)| (check, found.to_owned(), token));
    let of_claims = of_claims.map(|(check, found, changes): (Check, &str, Value)| {
        (check, found.to_owned(), platform.token(&changes))
    });
    of_token.into_iter().chain(of_claims).collect()
}

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    let platform = Platform::ci().await;
    let dead = register(cases.env, &platform).await;
    let replica = cases.env.replica().await;
    for (check, found, token) in flawed(&platform, &dead) {
        let answer = asks(&replica, &token, "").await;
        cases.note(&replica, (check, &found), answer).await;
    }
    let right = platform.token(&json!({}));
    assert_eq!(asks(&replica, &right, "").await.status, 200);
    let answer = asks(&replica, &right, "").await;
    let told = (Check::ForeignOnce, "one that was used before");
    cases.note(&replica, told, answer).await;

    let lost = format!("UPDATE feed_head SET lost_at = {}", START + 1);
    execute(&cases.env.database, &lost).await;
    replica.follow().await;
    let answer = asks(&replica, &platform.token(&json!({})), "").await;
    let found = "an older one, which may have been used";
    cases
        .note(&replica, (Check::ForeignSinceLoss, found), answer)
        .await;
    execute(&cases.env.database, "UPDATE feed_head SET lost_at = 0").await;
}
