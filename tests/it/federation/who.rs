//! Which client a foreign token is.

use serde_json::json;

use super::{CI, Platform, asks, with_deploy, workload};
use crate::assertion::signer::{Key, claims};
use crate::captured_log;
use crate::harness::{API, CATALOG, decoded, on_both};
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::issuer_url::IssuerUrl;
use grantd::domain::trusted_issuer::TrustedIssuer;

on_both! {
    async fn a_workload_needs_no_secret(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let answer = asks(&replica, &platform.token(&json!({})), "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let (_, claims) = decoded(answer.json()["access_token"].as_str().unwrap());
        assert_eq!((&claims["client_id"], &claims["sub"]), (&json!("deploy"), &json!("deploy")));
        assert_eq!(platform.publisher.fetches(), 1);
    }

    /// FED-01: compared byte by byte, and nothing is fetched for whoever is not trusted.
    async fn whoever_is_not_trusted_proves_nothing(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        for iss in ["https://other.example", "https://CI.example", "https://ci.example/", crate::harness::ISSUER, ""] {
            let token = platform.token(&json!({ "iss": iss }));
            asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        }
        for iss in [json!(null), json!([CI]), json!(7)] {
            let token = platform.token(&json!({ "iss": iss }));
            asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        }
        assert_eq!(platform.publisher.fetches(), 0);
    }

    /// FED-01: whoever writes us into the database as somebody else gains nothing by our own tokens.
    async fn we_are_no_issuer_that_is_trusted(env) {
        let platform = Platform::ci().await;
        let identity = "subject = \"repo:acme/shop:**\"";
        env.apply(&(CATALOG.to_owned() + &platform.lines("") + &workload("deploy", "ci", identity))).await;
        let issuers = env.store.load_issuers().await.unwrap().value;
        let url = IssuerUrl::parse(crate::harness::ISSUER).unwrap();
        let ours: Vec<TrustedIssuer> = issuers.into_iter().map(|it| TrustedIssuer { url: url.clone(), ..it }).collect();
        let mut change = env.store.begin_change("issuers".to_owned()).await.unwrap();
        change.put_issuers(&ours).await.unwrap();
        change.commit().await.unwrap();
        let replica = env.replica().await;
        let token = platform.token(&json!({ "iss": crate::harness::ISSUER }));
        asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        assert_eq!(platform.publisher.fetches(), 0);
    }

    /// FED-03: neither path takes what belongs to the other.
    async fn own_assertions_and_foreign_tokens_are_apart(env) {
        let platform = Platform::ci().await;
        let own = Key::new(SigningAlgorithm::Es256);
        let identity = format!(
            "jwks = '''{}'''\n{}",
            json!({ "keys": [own.jwk()] }),
            "[[client.identity]]\nissuer = \"ci\"\nsubject = \"deploy\"",
        );
        let client = crate::catalogs::client(
            "deploy", &format!("auth = \"private_key_jwt\"\n{identity}"), &crate::catalogs::reads("pricing"),
        );
        env.apply(&(CATALOG.to_owned() + &platform.lines("") + &client)).await;
        let replica = env.replica().await;
        // Each by its own key, in its own path.
        assert_eq!(asks(&replica, &own.sign(&claims("deploy", "1")), "").await.status, 200);
        let foreign = platform.token(&json!({ "sub": "deploy" }));
        assert_eq!(asks(&replica, &foreign, "").await.status, 200);
        // The client's key in the issuer's place, and the other way round.
        let as_issuer = own.sign(&platform.claims(&json!({ "sub": "deploy" })));
        asks(&replica, &as_issuer, "").await.assert_error(401, "invalid_client");
        let as_client = platform.key.sign(&claims("deploy", "2"));
        asks(&replica, &as_client, "").await.assert_error(401, "invalid_client");
    }

    /// FED-06, FED-07: on the wire, as the domain's tests say more thoroughly.
    async fn one_claim_that_differs_is_another_workload(env) {
        let platform = Platform::ci().await;
        let identity = "subject = \"repo:acme/*:ref:refs/heads/main\"\n\
            claims = { repository_id = \"74\", ref = [\"refs/heads/main\", \"refs/tags/v*\"] }\n\
            except = { event_name = \"pull_request\" }";
        env.apply(&(CATALOG.to_owned() + &platform.lines("") + &workload("deploy", "ci", identity))).await;
        let replica = env.replica().await;
        for (changes, status) in [
            (json!({}), 200),
            (json!({ "sub": "repo:acme/other:ref:refs/heads/main" }), 200),
            (json!({ "sub": "repo:acme/a/b:ref:refs/heads/main" }), 401),
            (json!({ "sub": "repo:acme/shop:ref:refs/heads/main2" }), 401),
            (json!({ "sub": "x:repo:acme/shop:ref:refs/heads/main" }), 401),
            (json!({ "sub": "Repo:acme/shop:ref:refs/heads/main" }), 401),
            (json!({ "sub": "repo:acme/*:ref:refs/heads/main" }), 200),
            (json!({ "repository_id": 74 }), 401),
            (json!({ "repository_id": null }), 401),
            (json!({ "repository_id": ["74", "75"] }), 200),
            (json!({ "repository_id": { "74": "74" } }), 401),
            (json!({ "ref": "refs/tags/v1" }), 200),
            (json!({ "ref": "refs/tags/v1/x" }), 401),
            (json!({ "event_name": "push" }), 200),
            (json!({ "event_name": "pull_request" }), 401),
        ] {
            let answer = asks(&replica, &platform.token(&changes), "").await;
            assert_eq!(answer.status, status, "{changes}: {answer:?}");
        }
    }

    /// FED-08: of several clients the request says which.
    async fn where_several_clients_fit_the_request_names_one(env) {
        let platform = Platform::ci().await;
        let both = "subject = \"repo:acme/shop:**\"";
        let catalog = CATALOG.to_owned() + &platform.lines("") + &workload("one", "ci", both)
            + &workload("two", "ci", both) + &workload("three", "ci", "subject = \"repo:acme/other:**\"");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let log = captured_log::watch("one of one and two");
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(401, "invalid_client");
        // Both databases have this test at once, and one log.
        assert!(!log.lines().is_empty());
        for (named, status) in [("one", 200), ("two", 200), ("three", 401), ("nobody", 401), ("reader", 401)] {
            let more = format!("&client_id={named}");
            let answer = asks(&replica, &platform.token(&json!({})), &more).await;
            assert_eq!(answer.status, status, "{named}: {answer:?}");
            if status == 200 {
                let (_, claims) = decoded(answer.json()["access_token"].as_str().unwrap());
                assert_eq!(claims["client_id"], named);
            }
        }
    }

    /// A refusal tells an operator what was compared, and with what.
    async fn the_log_says_in_what_a_token_differs(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let log = captured_log::watch("refs/heads/other-branch-of-this-test");
        let token = platform.token(&json!({ "ref": "refs/heads/other-branch-of-this-test" }));
        let answer = asks(&replica, &token, "").await;
        answer.assert_error(401, "invalid_client");
        let told = log.lines().join("\n");
        for part in ["issuer=\"ci\"", "check=\"identity\"", "deploy", "not refs/heads/main", "method=\"federated\""] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!String::from_utf8_lossy(&answer.body).contains("refs/heads"), "{answer:?}");
    }

    /// What a foreign token proves is for one API, as every proof.
    async fn a_workload_gets_what_its_policies_say(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let asked = |more: &'static str| {
            let token = platform.token(&json!({}));
            let replica = &replica;
            async move { asks(replica, &token, more).await }
        };
        asked("&scope=write").await.assert_error(400, "invalid_scope");
        asked("&audience=nobody").await.assert_error(400, "invalid_target");
        let answer = asked("&scope=read").await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let seen = replica.introspect("api", API, &token).await;
        assert_eq!(seen.json()["active"], true, "{seen:?}");
    }
}
