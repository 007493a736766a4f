//! What metrics show of trusted issuers, and of nobody else.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::timestamp::Seconds;
use serde_json::json;

use super::grant::{OF_CI, asker, grants};
use super::{Platform, asks, workload};
use crate::assertion::signer::Key;
use crate::harness::{CATALOG, Env, Replica, on_both};
use crate::key_sources::publisher::Manner;
use crate::metrics::text;

/// The samples that name issuers, without the part of their names that all have.
async fn series(replica: &Replica) -> Vec<String> {
    let text = text(replica).await;
    let lines = text
        .lines()
        .filter_map(|it| it.strip_prefix("grantd_issuer_"));
    lines.map(str::to_owned).collect()
}

async fn later(env: &Env, replica: &Replica, seconds: u32) {
    env.clock.advance(Seconds::new(seconds));
    replica.follow().await;
    replica.grantd.refresh_key_sources().await;
}

on_both! {
    async fn each_trusted_issuer_has_series_and_no_stranger(env) {
        let platform = Platform::ci().await;
        let other = Platform::new("other", "https://other.example", SigningAlgorithm::Es256).await;
        let catalog = CATALOG.to_owned()
            + &platform.lines("use = [\"client\", \"grant\"]")
            + &other.lines("")
            + &workload("deploy", "ci", "subject = \"repo:acme/shop:**\"")
            + &asker(OF_CI);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        assert_eq!(series(&replica).await, [""; 0], "nobody came yet");
        let right = json!({});
        assert_eq!(asks(&replica, &platform.token(&right), "").await.status, 200);
        assert_eq!(asks(&replica, &platform.token(&right), "&scope=none").await.status, 400);
        for changes in [json!({ "sub": "repo:acme/till" }), json!({ "aud": "another" }), json!({ "iss": "https://no.example" })] {
            asks(&replica, &platform.token(&changes), "").await.assert_error(401, "invalid_client");
        }
        assert_eq!(grants(&replica, &platform.token(&right), &[]).await.status, 200);
        assert_eq!(grants(&replica, &platform.token(&json!({ "aud": "another" })), &[]).await.status, 400);
        later(&env, &replica, 30).await;
        assert_eq!(series(&replica).await, [
            "tokens_total{issuer=\"ci\",use=\"client\",outcome=\"accepted\"} 2",
            "tokens_total{issuer=\"ci\",use=\"client\",outcome=\"refused\"} 2",
            "tokens_total{issuer=\"ci\",use=\"grant\",outcome=\"accepted\"} 1",
            "tokens_total{issuer=\"ci\",use=\"grant\",outcome=\"refused\"} 1",
            "fetches_total{issuer=\"ci\",result=\"fetched\"} 1",
            "fetches_total{issuer=\"ci\",result=\"failed\"} 0",
            "fetch_failures_total{issuer=\"ci\"} 0",
            "keys_age_seconds{issuer=\"ci\"} 30",
        ]);
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        later(&env, &replica, 3600).await;
        let stranger = Key::new(SigningAlgorithm::Es256);
        asks(&replica, &stranger.sign(&platform.claims(&right)), "").await.assert_error(503, "temporarily_unavailable");
        let shown = series(&replica).await;
        for part in [
            "use=\"client\",outcome=\"unavailable\"} 2",
            "fetches_total{issuer=\"ci\",result=\"failed\"} 1",
            "fetch_failures_total{issuer=\"ci\"} 1",
            "keys_age_seconds{issuer=\"ci\"} 3630",
        ] {
            assert!(shown.iter().any(|it| it.ends_with(part)), "{part}: {shown:?}");
        }
        // Who is trusted no more has none.
        env.prune(CATALOG).await;
        replica.follow().await;
        replica.grantd.survey().await;
        assert_eq!(series(&replica).await, [""; 0]);
    }
}
