//! Subject tokens that are bound to a key or a certificate.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::client::AuthMethod;
use grantd::operations::caller::Caller;
use grantd::operations::explain::{Supposed, explain_unsent};
use serde_json::json;

use super::*;
use crate::dpop::Prover;

const REBIND: &str = "exchange = { from = [\"orders-api\"], rebind = true }";

/// A token of `web` that is bound to a key.
async fn bound(replica: &Replica, prover: &Prover) -> String {
    let authorization = basic("web", SECRET);
    let proof = prover.right();
    let headers = [
        ("authorization", authorization.as_str()),
        ("dpop", proof.as_str()),
    ];
    let form = "grant_type=client_credentials&audience=orders-api";
    access_token(&replica.post("/oauth2/token", &headers, form).await)
}

fn jkt(token: &str) -> Value {
    decoded(token).1["cnf"]["jkt"].clone()
}

on_both! {
    /// EXC-05.
    async fn a_bound_token_is_exchanged_by_whoever_proves_to_hold_its_key(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let (prover, other) = (Prover::new(), Prover::with(SigningAlgorithm::EdDsa));
        let of_web = bound(&replica, &prover).await;
        assert!(jkt(&of_web).is_string());
        replica.give_for("orders", &of_web, "").await.assert_error(400, "invalid_request");
        let wrong = other.right();
        let answer = replica.give_with("orders", &of_web, (&[("dpop", &wrong)], "")).await;
        answer.assert_error(400, "invalid_request");
        let right = prover.right();
        let answer = replica.give_with("orders", &of_web, (&[("dpop", &right)], "")).await;
        assert_eq!(answer.json()["token_type"], "DPoP");
        assert_eq!(jkt(&access_token(&answer)), jkt(&of_web));
    }

    /// `grantd explain --client ID --dpop --subject-token FILE`: a proof is by a key of the client's own.
    async fn a_dry_run_knows_that_a_client_has_the_key_of_its_own_token(env) {
        let policies = [policy("orders-api", "read", "read"), policy("stock-api", "read", "read") + FROM_ORDERS + "\n"];
        env.apply(&catalog_with(FROM_ORDERS, &exchanging("alone", &policies))).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let authorization = basic("alone", SECRET);
        let proof = prover.right();
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        let form = "grant_type=client_credentials&audience=orders-api";
        let own = access_token(&replica.post("/oauth2/token", &headers, form).await);
        let of_web = bound(&replica, &prover).await;
        let caller = Caller {
            source: std::net::Ipv4Addr::LOCALHOST.into(),
            proxy: None,
            certificate: None,
            hashing_turn: std::sync::Arc::default(),
        };
        for (client, token, brings_proof, expected) in [
            ("alone", &own, true, "issued"),
            ("alone", &own, false, "invalid_request"),
            ("orders", &of_web, true, "invalid_request"),
        ] {
            let supposed = Supposed {
                client,
                method: AuthMethod::ClientSecretBasic,
                grant: EXCHANGE,
                subject_token: Some(token),
                scope: None,
                audience: Some("stock-api"),
                brings_proof,
            };
            let explained = explain_unsent(&replica.grantd, supposed, &caller).await.unwrap();
            assert_eq!(explained.outcome, expected, "{client} {brings_proof}: {explained:?}");
        }
    }

    /// EXC-05.
    async fn with_rebind_it_is_bound_to_the_new_key_and_never_becomes_a_bearer_token(env) {
        env.apply(&catalog(REBIND)).await;
        let replica = env.replica().await;
        let (prover, other) = (Prover::new(), Prover::new());
        let of_web = bound(&replica, &prover).await;
        replica.give_for("orders", &of_web, "").await.assert_error(400, "invalid_request");
        let proof = other.right();
        let answer = replica.give_with("orders", &of_web, (&[("dpop", &proof)], "")).await;
        assert_eq!(answer.json()["token_type"], "DPoP");
        let token = access_token(&answer);
        assert_ne!(jkt(&token), jkt(&of_web));
        assert!(jkt(&token).is_string());
        // What was never bound stays as it is.
        let unbound = replica.of_web("").await;
        let token = replica.exchanged("orders", &unbound, "").await;
        assert!(decoded(&token).1.get("cnf").is_none());
    }

    /// EXC-05.
    async fn a_certificate_or_something_unknown_that_a_token_is_bound_to_is_not_proven_by_a_key(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let prover = Prover::new();
        for cnf in [json!({ "x5t#S256": "A".repeat(43) }), json!({ "kid": "a" }), json!({ "jkt": 1 })] {
            let token = holder.with(&of_web, "cnf", cnf.clone());
            let proof = prover.right();
            let answer = replica.give_with("orders", &token, (&[("dpop", &proof)], "")).await;
            assert_eq!(answer.error(), "invalid_request", "{cnf}");
        }
    }

    /// A stolen actor token is no proof of anything; one that is bound is held to that as well.
    async fn a_bound_actor_token_is_proven_as_well(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let prover = Prover::new();
        let authorization = basic("orders", SECRET);
        let proof = prover.right();
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        let own = replica.post("/oauth2/token", &headers, "grant_type=client_credentials").await;
        let actor = format!("&actor_token={}&actor_token_type={ACCESS_TOKEN}", access_token(&own));
        replica.give_for("orders", &of_web, &actor).await.assert_error(400, "invalid_request");
        let proof = prover.right();
        let answer = replica.give_with("orders", &of_web, (&[("dpop", &proof)], &actor)).await;
        assert!(jkt(&access_token(&answer)).is_string());
    }
}
