//! What an operator changes holds from the next request on, on each replica that read the feed.

use super::*;

const INACTIVE: &str = r#"{"active":false}"#;

async fn is_active(replica: &Replica, token: &str) -> bool {
    let answer = replica.introspect("api", API, token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body != INACTIVE.as_bytes()
}

fn without_reader() -> String {
    let start = CATALOG.find("[[client]]\nid = \"reader\"").unwrap();
    let end = CATALOG.find("[[client]]\nid = \"api\"").unwrap();
    format!("{}{}", &CATALOG[..start], &CATALOG[end..])
}

fn with_status(status: &str) -> String {
    CATALOG.replace(
        "id = \"reader\"",
        &format!("id = \"reader\"\nstatus = \"{status}\""),
    )
}

on_both! {
    /// B-C09.
    async fn a_disabled_client_gets_nothing_and_its_tokens_die_for_good(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        let token = replicas[0].issued("reader", READER, "").await;
        for replica in &replicas {
            assert!(is_active(replica, &token).await);
            replica.issued("reader", READER, "").await;
        }
        env.apply(&with_status("disabled")).await;
        let refused = replicas[0].token("nobody", READER, "").await.same();
        for replica in &replicas {
            replica.follow().await;
            assert_eq!(replica.token("reader", READER, "").await.same(), refused);
            assert!(!is_active(replica, &token).await);
        }
        env.apply(&with_status("active")).await;
        for replica in &replicas {
            replica.follow().await;
            assert!(!is_active(replica, &token).await);
            let new = replica.issued("reader", READER, "").await;
            assert!(is_active(replica, &new).await);
        }
    }

    /// B-C09, 9068-06.
    async fn a_client_made_anew_revives_no_token(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        let token = replicas[0].issued("reader", READER, "").await;
        env.prune(&without_reader()).await;
        let refused = replicas[0].token("nobody", READER, "").await.same();
        for replica in &replicas {
            replica.follow().await;
            assert_eq!(replica.token("reader", READER, "").await.same(), refused);
            assert!(!is_active(replica, &token).await);
        }
        env.apply(CATALOG).await;
        for replica in &replicas {
            replica.follow().await;
            assert!(!is_active(replica, &token).await);
            let new = replica.issued("reader", READER, "").await;
            assert!(is_active(replica, &new).await);
            assert_eq!(decoded(&new).1["sub"], "reader");
        }
    }

    /// B-C10.
    async fn the_next_request_obeys_the_new_policy_on_every_replica(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        for replica in &replicas {
            replica.issued("reader", READER, "&scope=write").await;
        }
        let narrower =
            CATALOG.replacen("  scopes = [\"read\", \"write\"]", "  scopes = [\"read\"]", 1);
        env.apply(&narrower).await;
        for replica in &replicas {
            replica.follow().await;
            replica
                .token("reader", READER, "&scope=write")
                .await
                .assert_error(400, "invalid_scope");
            replica.issued("reader", READER, "&scope=read").await;
        }
        let policy = narrower.find("  [[client.policy]]").unwrap();
        let end = narrower[policy..].find("\n\n").unwrap() + policy;
        env.prune(&format!("{}{}", &narrower[..policy], &narrower[end..])).await;
        for replica in &replicas {
            replica.follow().await;
            replica
                .token("reader", READER, "&scope=read")
                .await
                .assert_error(400, "unauthorized_client");
        }
        env.apply(CATALOG).await;
        for replica in &replicas {
            replica.follow().await;
            replica.issued("reader", READER, "&scope=write").await;
        }
    }

    async fn a_new_secret_works_and_a_removed_one_does_not_from_the_next_request_on(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        for replica in &replicas {
            replica.issued("reader", READER, "").await;
            replica
                .token("reader", "the second secret", "")
                .await
                .assert_error(401, "invalid_client");
        }
        env.prune(&CATALOG.replace(READER, "the second secret")).await;
        for replica in &replicas {
            replica.follow().await;
            replica.issued("reader", "the second secret", "").await;
            replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
        }
    }
}
