//! Identities among the other credentials: how they are listed, and what a client by one of them would get.

use std::net::Ipv4Addr;
use std::sync::Arc;

use grantd::domain::client::AuthMethod;
use grantd::domain::profile::Profile;
use grantd::operations::caller::Caller;
use grantd::operations::explain::{Explained, Supposed, explain_unsent};
use serde_json::{Value, json};

use super::{catalog, stored};
use crate::harness::*;
use crate::raw_sql::texts;
use crate::site::Site;

const SHOP: &str = "subject = \"repo:acme/shop:*\"\nclaims = { ref = \"refs/heads/main\" }";

/// What `deploy` would get by `method`: nothing, and then the check that fails and what it finds.
async fn supposed(replica: &Replica, method: AuthMethod) -> Result<Value, (String, String)> {
    let supposed = Supposed {
        client: "deploy",
        method,
        grant: "client_credentials",
        subject_token: None,
        scope: None,
        audience: None,
        brings_proof: true,
    };
    let caller = Caller {
        source: Ipv4Addr::LOCALHOST.into(),
        proxy: None,
        certificate: None,
        hashing_turn: Arc::default(),
    };
    let explained: Explained = explain_unsent(&replica.grantd, supposed, &caller)
        .await
        .unwrap();
    if explained.is_granted() {
        return Ok(json!(explained)["would_issue"].clone());
    }
    let failed = explained.failed().unwrap();
    let id = json!(failed)["id"].as_str().unwrap().to_owned();
    Err((id, failed.found.clone().unwrap_or_default()))
}

on_both! {
    async fn a_policy_is_for_foreign_tokens_or_for_own_assertions(env) {
        let on = |methods: &str| catalog(&[SHOP]) + methods;
        for (methods, holds) in [
            ("", true),
            ("methods = [\"federated\"]\n", true),
            ("methods = [\"private_key_jwt\"]\n", false),
            ("methods = [\"federated\", \"private_key_jwt\"]\n", true),
        ] {
            env.apply(&on(methods)).await;
            let replica = env.replica().await;
            let would = supposed(&replica, AuthMethod::Federated).await;
            assert_eq!(would.is_ok(), holds, "{methods}: {would:?}");
            if let Err((check, found)) = would {
                assert_eq!((check.as_str(), found.as_str()), ("policy", "pricing, whose policy is not for federated"));
            }
        }
    }

    async fn an_identity_counts_while_it_lives(env) {
        let federated = AuthMethod::Federated;
        env.apply(&catalog(&[])).await;
        let none = supposed(&env.replica().await, federated).await.unwrap_err();
        assert_eq!(none, ("identity".to_owned(), "no identity at all".to_owned()));
        for (lines, state) in [
            (format!("retired_at = {START}"), "retired"),
            (format!("expires_at = {START}"), "expired"),
            (format!("active_from = {}", START + 1), "not active yet"),
        ] {
            env.prune(&catalog(&[&format!("{SHOP}\n{lines}")])).await;
            let id = stored(&env).await[0].id.clone();
            let refused = supposed(&env.replica().await, federated).await.unwrap_err();
            assert_eq!(refused, ("identity_live".to_owned(), format!("{id}, {state}")));
            env.prune(&catalog(&[])).await;
        }
        env.apply(&catalog(&[SHOP])).await;
        let replica = env.replica().await;
        assert_eq!(supposed(&replica, federated).await.unwrap()["claims"]["sub"], "deploy");
        let own = supposed(&replica, AuthMethod::PrivateKeyJwt).await.unwrap_err();
        assert_eq!(own, ("assertion_key".to_owned(), "no key at all".to_owned()));
        let strict = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        let would = supposed(&strict, federated).await.unwrap();
        assert_eq!(would["binding"], json!({ "jkt": "(jkt of its DPoP key)" }));
        let another = catalog(&[SHOP]).replace("auth = \"private_key_jwt\"", "auth = \"tls_client_auth\"");
        let error = env.try_apply(&another, false).await.unwrap_err();
        assert!(error.contains("has no method that uses an identity: add private_key_jwt"), "{error}");
    }

    async fn identities_are_listed_shown_explained_and_retired(env) {
        let site = Site::new(env).await;
        site.env.apply(&catalog(&[SHOP])).await;
        let id = stored(&site.env).await[0].id.to_string();
        let listed = site.json("credential list deploy");
        assert_eq!(listed[0]["id"], id);
        assert_eq!((&listed[0]["kind"], &listed[0]["key"]), (&json!("identity"), &json!("identity")));
        assert_eq!(listed[0]["value"], json!({
            "issuer": "ci", "subject": "repo:acme/shop:*", "claims": { "ref": "refs/heads/main" },
        }));
        for command in ["credential list deploy", "client show deploy"] {
            let shown = site.done(command).stdout;
            assert!(shown.contains("ci repo:acme/shop:*"), "{shown}");
        }
        site.replicas[0].follow().await;
        // Without a method `explain` supposes the one that it has a credential for.
        assert_eq!(site.replicas[0].grantd.methods_of("deploy").await.unwrap(), [AuthMethod::Federated]);
        let named = site.refused("explain --client deploy --method federated", 1);
        assert!(named.contains("there is no sealing key"), "{named}");
        let refused = site.refused("client create x --auth federated", 2);
        assert!(refused.contains("private_key_jwt") && refused.contains("invalid value"), "{refused}");
        site.done(&format!("credential retire {id}"));
        assert_eq!(site.json("credential list deploy")[0]["state"], "retired");
    }

    /// So that whose identities an issuer has is found by an index.
    async fn the_issuer_stands_in_a_column_of_its_own(env) {
        env.apply(&catalog(&[SHOP])).await;
        let forms = texts(&env.database, "SELECT form FROM credentials WHERE kind = 'identity'").await;
        assert_eq!(forms, ["ci"]);
    }

    async fn metadata_does_not_name_it(env) {
        env.apply(&catalog(&[SHOP])).await;
        let answer = env.replica().await.get("/.well-known/oauth-authorization-server").await;
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(text.contains("private_key_jwt") && !text.contains("federated"), "{text}");
    }
}
