//! The FAPI 2.0 Security Profile for client credentials. Each test that stands for a module of the `OpenID` conformance
//! plan `fapi2-security-profile-final` carries its name.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::profile::Profile;
use serde_json::{Value, json};

use crate::assertion::signer::{Key, TYPE, claims};
use crate::dpop::Prover;
use crate::harness::*;

/// A client with these keys at an audience that demands a binding.
fn catalog(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| Value::Object(key.jwk())).collect();
    let jwks = json!({ "keys": keys });
    format!(
        r#"
        [[audience]]
        id = "pricing"
        scopes = ["read"]
        sender_constraint = "any"
        served_by = ["worker"]

        [[client]]
        id = "worker"
        auth = "private_key_jwt"
        jwks = '''{jwks}'''
          [[client.policy]]
          audience = "pricing"
          scopes = ["read"]
          default_scopes = ["read"]
        "#
    )
}

/// A replica of the profile that knows `worker` by a new key.
async fn fapi2(env: Env, algorithm: SigningAlgorithm) -> (Env, Replica, Key) {
    let env = Env { profile: Profile::Fapi2, ..env };
    let key = Key::new(algorithm);
    env.apply(&catalog(&[&key])).await;
    let replica = env.replica().await;
    (env, replica, key)
}

/// A token request with an assertion, perhaps a proof, and further parameters.
async fn ask(replica: &Replica, assertion: &str, proof: Option<&str>, more: &str) -> Answer {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}{more}"
    );
    let headers: Vec<(&str, &str)> = proof.iter().map(|proof| ("dpop", *proof)).collect();
    replica.post("/oauth2/token", &headers, &form).await
}

on_both! {
    /// happy-flow: signed assertion, proof, a bound token, and introspection that tells its `cnf`.
    async fn happy_flow(env) {
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Ps256, SigningAlgorithm::EdDsa] {
            let key = Key::new(algorithm);
            let env = &env;
            let fapi2 = async {
                env.try_apply(&catalog(&[&key]), true).await.unwrap();
                env.replica_with(|options| options.profile = Profile::Fapi2).await
            };
            let replica = fapi2.await;
            let prover = Prover::new();
            let assertion = key.sign(&claims("worker", algorithm.as_str()));
            let answer = ask(&replica, &assertion, Some(&prover.right()), "").await;
            assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
            assert_eq!(answer.json()["token_type"], "DPoP");
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            assert!(decoded(&token).1["cnf"]["jkt"].is_string());
        }
    }

    /// discovery-end-point-verification
    async fn discovery_end_point_verification(env) {
        let (_env, replica, _key) = fapi2(env, SigningAlgorithm::Es256).await;
        let document = replica.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(document["issuer"], ISSUER);
        for endpoint in ["token", "introspection", "revocation"] {
            let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
            assert_eq!(methods, &json!(["private_key_jwt"]), "{endpoint}");
            let algorithms =
                &document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
            assert_eq!(algorithms, &json!(["ES256", "EdDSA", "Ed25519", "PS256"]));
        }
        assert_eq!(document["grant_types_supported"], json!(["client_credentials"]));
        let proofs = document["dpop_signing_alg_values_supported"].as_array().unwrap();
        assert!(!proofs.contains(&json!("RS256")));
    }

    /// ensure-holder-of-key-required
    async fn ensure_holder_of_key_required(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let assertion = key.sign(&claims("worker", "1"));
        ask(&replica, &assertion, None, "").await.assert_error(400, "invalid_request");
    }

    /// ensure-client-id-in-token-endpoint
    async fn ensure_client_id_in_token_endpoint(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let prover = Prover::new();
        let ask_as = async |client_id: &str, jti: &str| {
            let assertion = key.sign(&claims("worker", jti));
            let more = format!("&client_id={client_id}");
            ask(&replica, &assertion, Some(&prover.right()), &more).await
        };
        assert_eq!(ask_as("worker", "1").await.status, 200);
        ask_as("another", "2").await.assert_error(401, "invalid_client");
    }

    /// ensure-signed-client-assertion-with-RS256-fails
    async fn ensure_signed_client_assertion_with_rs256_fails(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Rs256).await;
        let assertion = key.sign(&claims("worker", "1"));
        let answer = ask(&replica, &assertion, Some(&Prover::new().right()), "").await;
        answer.assert_error(401, "invalid_client");
    }

    /// ensure-client-assertion-in-token-endpoint
    async fn ensure_client_assertion_in_token_endpoint(env) {
        let (_env, replica, _key) = fapi2(env, SigningAlgorithm::Es256).await;
        let proof = Prover::new().right();
        let form = "grant_type=client_credentials&client_id=worker";
        let answer = replica.post("/oauth2/token", &[("dpop", &proof)], form).await;
        answer.assert_error(401, "invalid_client");
    }

    /// ensure-client-assertion-with-exp-is-5-minutes-in-past-fails, ensure-client-assertion-with-wrong-aud-fails,
    /// ensure-client-assertion-with-no-sub-fails
    async fn a_wrong_client_assertion_fails(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        for (name, value) in [
            ("exp", json!(START - 300)),
            ("aud", json!("https://other.example")),
            ("aud", json!(format!("{ISSUER}/oauth2/token"))),
            ("aud", json!([ISSUER])),
            ("sub", Value::Null),
        ] {
            let mut claims = claims("worker", &value.to_string());
            claims[name] = value.clone();
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let answer = ask(&replica, &key.sign(&claims), Some(&Prover::new().right()), "").await;
            answer.assert_error(401, "invalid_client");
        }
    }

    /// check-dpop-proof-nbf-exp, ensure-dpopproof-with-iat-10seconds-before-succeeds,
    /// ensure-dpopproof-with-iat-10seconds-after-succeeds
    async fn dpop_proofs_within_their_times_succeed(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let prover = Prover::new();
        for (index, more) in [
            json!({ "nbf": START - 60, "exp": START + 60 }),
            json!({ "iat": START - 10 }),
            json!({ "iat": START + 10 }),
        ]
        .iter()
        .enumerate()
        {
            let assertion = key.sign(&claims("worker", &index.to_string()));
            let answer = ask(&replica, &assertion, Some(&prover.proof(more)), "").await;
            assert_eq!(answer.status, 200, "{more}: {answer:?}");
        }
    }

    /// dpop-negative-tests
    async fn dpop_negative_tests(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let prover = Prover::new();
        let wrong = [
            prover.proof(&json!({ "htm": "GET" })),
            prover.proof(&json!({ "htu": "https://other.example/oauth2/token" })),
            prover.proof(&json!({ "iat": START - 600 })),
            prover.proof(&json!({ "iat": null })),
            prover.proof(&json!({ "jti": null })),
            Prover::with(SigningAlgorithm::Rs256).right(),
            "garbage".to_owned(),
        ];
        for (index, proof) in wrong.iter().enumerate() {
            let assertion = key.sign(&claims("worker", &index.to_string()));
            let answer = ask(&replica, &assertion, Some(proof), "").await;
            answer.assert_error(400, "invalid_dpop_proof");
        }
    }

    async fn what_contradicts_the_profile_is_refused_with_the_reason(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let right = catalog(&[&key]);
        let by_secret = right.replace(
            "auth = \"private_key_jwt\"",
            "auth = [\"private_key_jwt\", \"client_secret_basic\"]\nsecret = \"a secret of worker\"",
        );
        let strict = Env { profile: Profile::Fapi2, ..env };
        for (catalog, reason) in [
            (right.replace("\"any\"", "\"none\""), "sender_constraint"),
            (right.replace("sender_constraint", "algorithm = \"RS256\"\nsender_constraint"), "RS256"),
            (by_secret.clone(), "client_secret_basic"),
            (
                right.replace("jwks =", "assertion_audience = \"issuer_or_token_endpoint\"\njwks ="),
                "assertion_audience",
            ),
        ] {
            let error = strict.try_apply(&catalog, false).await.unwrap_err();
            assert!(error.starts_with("test.toml:") && error.contains(reason), "{error}");
        }
        assert_eq!(strict.store.all_clients().await.unwrap(), [], "nothing of it was applied");
        let lax = Env { profile: Profile::Default, ..strict };
        lax.apply(&by_secret).await;
        let replica = lax.replica_with(|options| options.profile = Profile::Fapi2).await;
        let contradiction = replica.grantd.profile_contradiction().await.unwrap();
        assert!(contradiction.unwrap().contains("client_secret_basic"));
        let refused = replica.token("worker", "a secret of worker", "").await;
        refused.assert_error(401, "invalid_client");
    }
}
