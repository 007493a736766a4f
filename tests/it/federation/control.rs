//! Federated clients are stopped as every other client is.

use grantd::domain::timestamp::Seconds;
use grantd::domain::trusted_issuer::{IssuerUse, TrustedIssuer};
use serde_json::json;

use super::{Platform, asks, with_deploy, workload};
use crate::harness::{API, CATALOG, on_both};

on_both! {
    /// FED-14: what is changed holds on another replica, once it has read of it.
    async fn what_stops_a_client_stops_a_workload(env) {
        let platform = Platform::ci().await;
        let catalog = with_deploy(&platform);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let token = || platform.token(&json!({}));
        let issued = asks(&replica, &token(), "").await;
        assert_eq!(issued.status, 200);
        let issued = issued.json()["access_token"].as_str().unwrap().to_owned();
        let disabled = catalog.replace("id = \"deploy\"", "id = \"deploy\"\nstatus = \"disabled\"");
        env.apply(&disabled).await;
        replica.follow().await;
        asks(&replica, &token(), "").await.assert_error(401, "invalid_client");
        let seen = replica.introspect("api", API, &issued).await;
        assert_eq!(seen.json(), json!({ "active": false }));
        // Who was stopped stays so until somebody says otherwise.
        env.apply(&catalog.replace("id = \"deploy\"", "id = \"deploy\"\nstatus = \"active\"")).await;
        replica.follow().await;
        assert_eq!(asks(&replica, &token(), "").await.status, 200);
    }

    /// FED-14: an identity that is gone from the catalog, or retired, proves nothing.
    async fn an_identity_that_is_removed_proves_nothing(env) {
        let platform = Platform::ci().await;
        let catalog = with_deploy(&platform);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        let narrowed = catalog.replace("refs/heads/main", "refs/heads/release");
        env.prune(&narrowed).await;
        replica.follow().await;
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(401, "invalid_client");
        let release = json!({ "ref": "refs/heads/release" });
        assert_eq!(asks(&replica, &platform.token(&release), "").await.status, 200);
        let id = grantd::domain::identifier::ClientId::parse("deploy").unwrap();
        let known = env.store.load_client(&id).await.unwrap().value.unwrap();
        env.retire(&known.credentials[0].id, false).await;
        replica.follow().await;
        asks(&replica, &platform.token(&release), "").await.assert_error(401, "invalid_client");
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
    }

    /// FED-14: an issuer may be told to be something else, from one moment to the next.
    async fn an_issuer_that_is_not_for_clients_proves_none(env) {
        let platform = Platform::ci().await;
        let catalog = with_deploy(&platform);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        let other = catalog.replace("url = \"https://ci.example\"", "url = \"https://ci.example\"\nuse = [\"exchange\"]");
        let refused = env.try_apply(&other, false).await.unwrap_err();
        assert!(refused.contains("are no client's"), "{refused}");
        // Whoever writes it into the database past all judgement gains nothing.
        let issuers = env.store.load_issuers().await.unwrap().value;
        let narrowed = issuers.into_iter().map(|it| TrustedIssuer { uses: vec![IssuerUse::Exchange], ..it });
        let narrowed: Vec<TrustedIssuer> = narrowed.collect();
        let mut change = env.store.begin_change("issuers".to_owned()).await.unwrap();
        change.put_issuers(&narrowed).await.unwrap();
        change.commit().await.unwrap();
        replica.follow().await;
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(401, "invalid_client");
    }

    /// FED-14: conditions of policies hold, and `federated` is one of its own.
    async fn policies_hold_for_workloads(env) {
        let platform = Platform::ci().await;
        let catalog = with_deploy(&platform);
        for (condition, status) in [
            ("methods = [\"federated\"]", 200),
            ("methods = [\"private_key_jwt\"]", 400),
            ("networks = [\"10.0.0.0/8\"]", 400),
        ] {
            let conditional = catalog.clone() + condition + "\n";
            env.apply(&conditional).await;
            let replica = env.replica().await;
            let answer = asks(&replica, &platform.token(&json!({})), "").await;
            assert_eq!(answer.status, status, "{condition}: {answer:?}");
        }
    }

    /// FED-14: tokens of before a kill are dead.
    async fn tokens_not_before_holds_for_workloads(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let issued = asks(&replica, &platform.token(&json!({})), "").await;
        let issued = issued.json()["access_token"].as_str().unwrap().to_owned();
        let id = grantd::domain::identifier::ClientId::parse("deploy").unwrap();
        let known = env.store.load_client(&id).await.unwrap().value.unwrap();
        env.retire(&known.credentials[0].id, true).await;
        env.clock.advance(Seconds::new(1));
        replica.follow().await;
        let seen = replica.introspect("api", API, &issued).await;
        assert_eq!(seen.json(), json!({ "active": false }));
    }

    /// What has no identity of the issuer is no candidate, however many clients there are.
    async fn a_client_is_found_among_many(env) {
        let platform = Platform::ci().await;
        let mut catalog = CATALOG.to_owned() + &platform.lines("");
        for n in 0..200 {
            let identity = format!("subject = \"repo:acme/app-{n}:ref:refs/heads/main\"");
            catalog += &workload(&format!("app-{n}"), "ci", &identity);
        }
        env.apply(&catalog).await;
        let replica = env.replica().await;
        for n in [0, 7, 199] {
            let sub = format!("repo:acme/app-{n}:ref:refs/heads/main");
            let answer = asks(&replica, &platform.token(&json!({ "sub": sub })), "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let (_, claims) = crate::harness::decoded(answer.json()["access_token"].as_str().unwrap());
            assert_eq!(claims["client_id"], format!("app-{n}"));
        }
        let sub = json!({ "sub": "repo:acme/app-200:ref:refs/heads/main" });
        asks(&replica, &platform.token(&sub), "").await.assert_error(401, "invalid_client");
    }
}
