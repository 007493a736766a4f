//! Whether a foreign token counts once.

use grantd::operations::explain::explain_assertion;
use serde_json::json;

use super::{Platform, asks, workload};
use crate::harness::{CATALOG, on_both};

fn catalog(platform: &Platform, jti: &str) -> String {
    let lines = platform.lines(&format!("jti = \"{jti}\""));
    CATALOG.to_owned() + &lines + &workload("deploy", "ci", "subject = \"repo:acme/shop:**\"")
}

on_both! {
    /// FED-13: of a hundred that come at once to two replicas one wins, and later none.
    async fn a_token_for_single_use_has_one_winner(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog(&platform, "single_use")).await;
        let replicas = [env.replica().await, env.replica().await];
        for replica in &replicas {
            // Keys that are there already leave the replay to decide alone.
            assert_eq!(asks(replica, &platform.token(&json!({})), "").await.status, 200);
        }
        let token = platform.token(&json!({}));
        let tries = (0..100).map(|n| asks(&replicas[n % 2], &token, ""));
        let answers = futures_util::future::join_all(tries).await;
        let won = answers.iter().filter(|it| it.status == 200).count();
        assert_eq!(won, 1);
        for lost in answers.iter().filter(|it| it.status != 200) {
            lost.assert_error(401, "invalid_client");
        }
        for replica in &replicas {
            asks(replica, &token, "").await.assert_error(401, "invalid_client");
        }
        let without = platform.token(&json!({ "jti": null }));
        asks(&replicas[0], &without, "").await.assert_error(401, "invalid_client");
    }

    /// FED-13.
    async fn what_platforms_hand_out_many_times_counts_many_times(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog(&platform, "ignore")).await;
        let replica = env.replica().await;
        for token in [platform.token(&json!({})), platform.token(&json!({ "jti": null }))] {
            for _ in 0..3 {
                assert_eq!(asks(&replica, &token, "").await.status, 200);
            }
        }
    }

    /// FED-13: a `jti` counts once where there is one.
    async fn a_token_without_a_jti_counts_many_times_where_that_is_allowed(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog(&platform, "if_present")).await;
        let replica = env.replica().await;
        let without = platform.token(&json!({ "jti": null }));
        for _ in 0..3 {
            assert_eq!(asks(&replica, &without, "").await.status, 200);
        }
        let once = platform.token(&json!({}));
        assert_eq!(asks(&replica, &once, "").await.status, 200);
        asks(&replica, &once, "").await.assert_error(401, "invalid_client");
    }

    /// The same `jti` of two issuers is no replay.
    async fn each_issuer_has_a_space_of_its_own(env) {
        let (ci, other) = (
            Platform::ci().await,
            Platform::new("other", "https://other.example", grantd::domain::algorithm::SigningAlgorithm::Es256).await,
        );
        let catalog = catalog(&ci, "single_use") + &other.lines("jti = \"single_use\"")
            + &workload("second", "other", "subject = \"repo:acme/shop:**\"");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        for platform in [&ci, &other] {
            let token = platform.token(&json!({ "jti": "the same" }));
            assert_eq!(asks(&replica, &token, "").await.status, 200);
            asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        }
    }

    /// FED-13: what was spent stays spent when the catalog calls its issuer something else, in a request and in `explain`.
    async fn a_spent_token_stays_spent_under_another_name_of_its_issuer(env) {
        let platform = Platform::ci().await;
        let before = catalog(&platform, "single_use");
        env.apply(&before).await;
        let replica = env.replica().await;
        let spent = platform.token(&json!({}));
        assert_eq!(asks(&replica, &spent, "").await.status, 200);
        env.prune(&before.replace("\"ci\"", "\"forge\"")).await;
        replica.follow().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        asks(&replica, &spent, "").await.assert_error(401, "invalid_client");
        let explained = explain_assertion(&replica.grantd, &spent).await.unwrap();
        let used = explained.checks.iter().filter(|it| it.passed == Some(false));
        assert_eq!(used.count(), 1, "{explained:?}");
    }
}
