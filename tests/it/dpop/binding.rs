//! What a token is bound to, and what is refused because it would not be bound.

use super::*;

/// Everything that may demand a binding that a request without a proof lacks.
const DEMANDS: [(&str, &str); 4] = [
    (CLIENT, "dpop_bound_access_tokens = true"),
    (AUDIENCE, "sender_constraint = \"dpop\""),
    (AUDIENCE, "sender_constraint = \"any\""),
    (AUDIENCE, "sender_constraint = \"mtls\""),
];

fn bound_to(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    decoded(answer.json()["access_token"].as_str().unwrap()).1["cnf"].clone()
}

on_both! {
    /// 9449-01.
    async fn a_proof_binds_the_token_to_its_key(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let answer = replica.prove(&[&prover.right()], "&scope=read").await;
        assert_eq!(bound_to(&answer), json!({ "jkt": prover.key.kid }));
        let body = answer.json();
        assert_eq!(body["token_type"], "DPoP");
        assert_eq!(body["expires_in"], 300);
        assert_eq!(body["scope"], "read");
        assert!(!answer.headers.contains_key("dpop-nonce"));

        let bearer = replica.token("reader", READER, "").await;
        assert_eq!(bound_to(&bearer), Value::Null);
        assert_eq!(bearer.json()["token_type"], "Bearer");
    }

    /// 7662-04: introspection tells what a resource server needs to demand a proof.
    async fn introspection_tells_the_key_of_a_bound_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let answer = replica.prove(&[&prover.right()], "").await.json();
        let bound = replica.introspect("api", API, answer["access_token"].as_str().unwrap()).await;
        assert_eq!(bound.json()["active"], true);
        assert_eq!(bound.json()["token_type"], "DPoP");
        assert_eq!(bound.json()["cnf"], json!({ "jkt": prover.key.kid }));

        let bearer = replica.issued("reader", READER, "").await;
        let bearer = replica.introspect("api", API, &bearer).await.json();
        assert_eq!(bearer["token_type"], "Bearer");
        assert!(bearer["cnf"].is_null());
    }

    /// And never `use_dpop_nonce`, even where proofs need one (9449-01).
    async fn a_token_that_must_be_bound_is_not_issued_without_a_proof(env) {
        for (after, line) in DEMANDS {
            env.apply(&demanding(after, line)).await;
            let free = env.replica().await;
            let strict = env.replica_with(|settings| settings.dpop.require_nonce = true).await;
            for replica in [&free, &strict] {
                replica.token("reader", READER, "").await.assert_error(400, "invalid_request");
            }
            let proved = free.prove(&[&Prover::new().right()], "").await;
            if line.contains("mtls") {
                // A proof is no certificate.
                proved.assert_error(400, "invalid_request");
            } else {
                assert_eq!(proved.json()["token_type"], "DPoP", "{line}");
            }
        }
    }

    /// 9449-04.
    async fn what_the_metadata_lists_makes_proofs(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let document = replica.get("/.well-known/oauth-authorization-server").await.json();
        let listed = document["dpop_signing_alg_values_supported"].as_array().unwrap().clone();
        assert_eq!(listed, ["ES256", "EdDSA", "Ed25519", "PS256", "RS256"]);
        for name in listed {
            let name = name.as_str().unwrap();
            let algorithm = name.replace("Ed25519", "EdDSA").parse().unwrap();
            let prover = Prover::with(algorithm);
            let answer = replica.prove(&[&prover.header("alg", name)], "").await;
            assert_eq!(bound_to(&answer), json!({ "jkt": prover.key.kid }), "{name}");
        }
    }

    /// A proof belongs to the token endpoint; elsewhere it is a header like any other.
    async fn introspection_and_revocation_look_at_no_proof(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let form = format!("token={token}");
        let (api, reader) = (basic("api", API), basic("reader", READER));
        let headers = [("authorization", api.as_str()), ("dpop", "garbage")];
        let told = replica.post("/oauth2/introspect", &headers, &form).await;
        assert_eq!(told.json()["active"], true);
        let headers = [("authorization", reader.as_str()), ("dpop", "garbage")];
        assert_eq!(replica.post("/oauth2/revoke", &headers, &form).await.status, 200);
    }
}
