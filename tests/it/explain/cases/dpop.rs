//! DPoP proofs.

use grantd::domain::check::Check;
use serde_json::json;

use super::Cases;
use crate::dpop::Prover;
use crate::harness::*;
use crate::raw_sql::execute;

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    cases.env.apply(CATALOG).await;
    let replica = cases.env.replica().await;
    let prover = Prover::new();
    let right = prover.right();
    let (input, _) = right.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", "A".repeat(86));
    for (check, found, proof) in [
        (
            Check::DpopForm,
            "not three parts separated by dots",
            "no-jwt".to_owned(),
        ),
        (Check::DpopType, "JWT", prover.header("typ", "JWT")),
        (Check::DpopAlgorithm, "HS256", prover.header("alg", "HS256")),
        (
            Check::DpopKey,
            "not an object",
            prover.header("jwk", "none"),
        ),
        (
            Check::DpopSignature,
            "one that this key did not make",
            forged,
        ),
        (
            Check::DpopMethod,
            "GET",
            prover.proof(&json!({ "htm": "GET" })),
        ),
        (
            Check::DpopUri,
            "https://other.example/",
            prover.proof(&json!({ "htu": "https://other.example/" })),
        ),
        (
            Check::DpopAge,
            "iat 3600 s ago",
            prover.proof(&json!({ "iat": START - 3600 })),
        ),
        (
            Check::DpopIssued,
            "iat 60 s ahead",
            prover.proof(&json!({ "iat": START + 60 })),
        ),
        (
            Check::DpopExpiry,
            "exp 60 s ago",
            prover.proof(&json!({ "exp": START - 60 })),
        ),
        (
            Check::DpopBegin,
            "nbf 60 s ahead",
            prover.proof(&json!({ "nbf": START + 60 })),
        ),
        (
            Check::DpopJti,
            "none, an empty one or a longer one",
            prover.proof(&json!({ "jti": "" })),
        ),
    ] {
        let answer = replica.prove(&[&proof], "").await;
        cases.note(&replica, (check, found), answer).await;
    }
    let answer = replica.prove(&[&right, &prover.right()], "").await;
    cases
        .note(&replica, (Check::DpopOne, "several"), answer)
        .await;
    assert_eq!(replica.prove(&[&right], "").await.status, 200);
    let answer = replica.prove(&[&right], "").await;
    let told = (Check::DpopOnce, "one that was used before");
    cases.note(&replica, told, answer).await;

    let lost = format!("UPDATE feed_head SET lost_at = {}", START + 1);
    execute(&cases.env.database, &lost).await;
    replica.follow().await;
    let answer = replica.prove(&[&prover.right()], "").await;
    let told = (
        Check::DpopSinceLoss,
        "an older one, which may have been used",
    );
    cases.note(&replica, told, answer).await;
    execute(&cases.env.database, "UPDATE feed_head SET lost_at = 0").await;

    let strict = cases
        .env
        .replica_with(|settings| settings.dpop.require_nonce = true);
    let strict = strict.await;
    let answer = strict.prove(&[&prover.right()], "").await;
    cases
        .note(&strict, (Check::DpopNonce, "none"), answer)
        .await;
}
