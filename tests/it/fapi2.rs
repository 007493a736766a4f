//! The FAPI 2.0 Security Profile for client credentials. Each test that stands for a module of the `OpenID` conformance
//! plan `fapi2-security-profile-final` carries its name; what a module asks of TLS, of certificates or of an API stands
//! in `mtls/fapi2.rs` and `resource_server/fapi2.rs`.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::profile::Profile;
use grantd::operations::check_profile::profile_contradiction;
use serde_json::{Value, json};

use crate::assertion::signer::{Key, TYPE, claims, present, with_client};
use crate::catalogs::{audience, by_key, reads};
use crate::dpop::Prover;
use crate::harness::*;

/// A client with these keys at an audience that demands a binding.
fn catalog(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| Value::Object(key.jwk())).collect();
    let lines = "sender_constraint = \"any\"\nserved_by = [\"worker\"]";
    let worker = by_key("worker", json!({ "keys": keys }), &reads("pricing"));
    audience("pricing", "read", lines) + &worker
}

/// A replica of the profile that knows `worker` by a new key.
async fn fapi2(env: Env, algorithm: SigningAlgorithm) -> (Env, Replica, Key) {
    let env = Env {
        profile: Profile::Fapi2,
        ..env
    };
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
    /// happy-flow: signed assertion, proof, a bound token of two clients, and introspection that tells its `cnf`.
    async fn happy_flow(env) {
        let env = Env { profile: Profile::Fapi2, ..env };
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Ps256, SigningAlgorithm::EdDsa] {
            let (first, second) = (Key::new(algorithm), Key::new(algorithm));
            let both = with_client(&catalog(&[&first]), "second", &[&second]);
            env.prune(&both).await;
            let replica = env.replica().await;
            for (client, key) in [("worker", &first), ("second", &second)] {
                let assertion = key.sign(&claims(client, algorithm.as_str()));
                let proof = Prover::with(algorithm).right();
                let answer = ask(&replica, &assertion, Some(&proof), "").await;
                assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
                let body = answer.json();
                assert_eq!(body["token_type"], "DPoP");
                assert!(body["expires_in"].as_u64().unwrap() > 0);
                let none = ["refresh_token", "id_token"].map(|name| body.get(name));
                assert_eq!(none, [None, None]);
                let token = body["access_token"].as_str().unwrap();
                let bound = &decoded(token).1["cnf"];
                assert!(bound["jkt"].is_string());
                let assertion = first.sign(&claims("worker", &format!("{client} {algorithm}")));
                let form = format!("token={token}");
                let seen = present(&replica, "/oauth2/introspect", &form, &assertion).await.json();
                assert_eq!((&seen["client_id"], &seen["cnf"]), (&json!(client), bound));
            }
        }
    }

    /// discovery-end-point-verification: the whole document, so that it has no member that the plan does not know
    /// (`CheckForUnexpectedParametersInServerMetadata`) and none of another form.
    async fn discovery_end_point_verification(env) {
        // From before the profile: its key is still published, and signs no more.
        env.apply("[[audience]]\nid = \"old\"\nalgorithm = \"RS256\"\n").await;
        let (_env, replica, _key) = fapi2(env, SigningAlgorithm::Es256).await;
        assert_eq!(replica.get("/oauth2/jwks").await.json()["keys"].as_array().unwrap().len(), 2);
        let answer = replica.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let (methods, algorithms) =
            (json!(["private_key_jwt"]), json!(["ES256", "EdDSA", "Ed25519", "PS256"]));
        assert_eq!(
            answer.json(),
            json!({
                "issuer": ISSUER,
                "jwks_uri": "https://auth.example/oauth2/jwks",
                "token_endpoint": "https://auth.example/oauth2/token",
                "token_endpoint_auth_methods_supported": methods,
                "token_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_endpoint": "https://auth.example/oauth2/introspect",
                "introspection_endpoint_auth_methods_supported": methods,
                "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_signing_alg_values_supported": ["ES256"],
                "revocation_endpoint": "https://auth.example/oauth2/revoke",
                "revocation_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
                "grant_types_supported": [
                    "client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ],
                "dpop_signing_alg_values_supported": algorithms,
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            })
        );
    }

    /// ensure-holder-of-key-required
    async fn ensure_holder_of_key_required(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let assertion = key.sign(&claims("worker", "1"));
        ask(&replica, &assertion, None, "").await.assert_error(400, "invalid_request");
    }

    /// ensure-client-id-in-token-endpoint: `client_id` and claims of a second client, signed by the first one's key.
    async fn ensure_client_id_in_token_endpoint(env) {
        let env = Env { profile: Profile::Fapi2, ..env };
        let (first, second) = (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        env.apply(&with_client(&catalog(&[&first]), "second", &[&second])).await;
        let replica = env.replica().await;
        let ask_as = async |client_id: &str, assertion: &str| {
            let proof = Prover::new().right();
            ask(&replica, assertion, Some(&proof), &format!("&client_id={client_id}")).await
        };
        let assertion = first.sign(&claims("worker", "1"));
        assert_eq!(ask_as("worker", &assertion).await.status, 200);
        let assertion = first.sign(&claims("second", "2"));
        ask_as("second", &assertion).await.assert_error(401, "invalid_client");
        let assertion = first.sign(&claims("worker", "3"));
        ask_as("second", &assertion).await.assert_error(401, "invalid_client");
    }

    /// ensure-signed-client-assertion-with-RS256-fails: by the key that a client signs PS256 with.
    async fn ensure_signed_client_assertion_with_rs256_fails(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Ps256).await;
        let assertion = key.sign(&claims("worker", "1"));
        let answer = ask(&replica, &assertion, Some(&Prover::new().right()), "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let assertion = key.turned_to_rs256().sign(&claims("worker", "2"));
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
            json!({ "nbf": START, "exp": START + 300 }),
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

    /// dpop-negative-tests: what the module tries at an API, here at the token endpoint.
    async fn dpop_negative_tests(env) {
        let (_env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let prover = Prover::new();
        let wrong = [
            prover.proof(&json!({ "htm": "PUT" })),
            prover.proof(&json!({ "htu": "https://other.example/oauth2/token" })),
            prover.proof(&json!({ "iat": START - 3600 })),
            prover.proof(&json!({ "iat": START + 3600 })),
            prover.proof(&json!({ "iat": null })),
            prover.proof(&json!({ "jti": null })),
            prover.proof(&json!({ "htm": null })),
            prover.proof(&json!({ "htu": null })),
            Prover::with(SigningAlgorithm::Rs256).right(),
            "garbage".to_owned(),
        ];
        for (index, proof) in wrong.iter().enumerate() {
            let assertion = key.sign(&claims("worker", &index.to_string()));
            let answer = ask(&replica, &assertion, Some(proof), "").await;
            answer.assert_error(400, "invalid_dpop_proof");
        }
    }

    /// What a client was allowed in another profile does not hold here.
    async fn the_token_endpoint_is_no_audience_for_anybody(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lax = "assertion_audience = \"issuer_or_token_endpoint\"\njwks =";
        env.apply(&catalog(&[&key]).replace("jwks =", lax)).await;
        let mut by_endpoint = claims("worker", "1");
        by_endpoint["aud"] = json!(format!("{ISSUER}/oauth2/token"));
        let assertion = key.sign(&by_endpoint);
        let proof = Prover::new().right();
        let replica = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        let answer = ask(&replica, &assertion, Some(&proof), "").await;
        answer.assert_error(401, "invalid_client");
        let answer = ask(&env.replica().await, &assertion, Some(&proof), "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Of an issuer that signs by what the profile forbids no token would ever count.
    async fn an_issuer_that_signs_by_rsa_pkcs1_alone_is_refused(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let issuer = |more: &str| {
            let lines = "[[issuer]]\nid = \"github\"\nurl = \"https://ci.example\"\npreset = \"github\"\n";
            format!("{lines}{more}\n{}", catalog(&[&key]))
        };
        let env = Env { profile: Profile::Fapi2, ..env };
        let refused = env.try_apply(&issuer(""), false).await.unwrap_err();
        assert!(refused.contains("issuer github: the profile fapi2 takes no tokens that are signed by RS256:"), "{refused}");
        let listed = env.try_apply(&issuer("algorithms = [\"RS256\", \"ES384\"]"), false).await.unwrap_err();
        assert!(listed.contains(":5: issuer github: ") && listed.contains("RS256, ES384:"), "{listed}");
        env.apply(&issuer("algorithms = [\"RS256\", \"ES256\"]")).await;
        assert_eq!(profile_contradiction(&env.store, Profile::Fapi2).await.unwrap(), None);
        let env = Env { profile: Profile::Default, ..env };
        env.apply(&issuer("")).await;
        let told = profile_contradiction(&env.store, Profile::Fapi2).await.unwrap().unwrap();
        assert!(told.starts_with("issuer github: the profile fapi2"), "{told}");
    }

    /// A catalog that was applied for another profile while the replica ran.
    async fn an_audience_with_a_forbidden_algorithm_gets_no_tokens(env) {
        let (env, replica, key) = fapi2(env, SigningAlgorithm::Es256).await;
        let env = Env { profile: Profile::Default, ..env };
        let rs256 = "algorithm = \"RS256\"\nsender_constraint";
        env.apply(&catalog(&[&key]).replace("sender_constraint", rs256)).await;
        replica.follow().await;
        let assertion = key.sign(&claims("worker", "1"));
        let answer = ask(&replica, &assertion, Some(&Prover::new().right()), "").await;
        answer.assert_error(503, "temporarily_unavailable");
        let bearer = catalog(&[&key]).replace("\"any\"", "\"none\"");
        env.apply(&bearer).await;
        replica.follow().await;
        let assertion = key.sign(&claims("worker", "2"));
        ask(&replica, &assertion, None, "").await.assert_error(400, "invalid_request");
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
        lax.apply(&right.replace("\"any\"", "\"none\"")).await;
        let replica = lax.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        let contradiction = profile_contradiction(replica.grantd.store(), Profile::Fapi2).await.unwrap();
        assert!(contradiction.unwrap().contains("sender_constraint"));
        lax.apply(&by_secret).await;
        let contradiction = profile_contradiction(replica.grantd.store(), Profile::Fapi2).await.unwrap();
        assert!(contradiction.unwrap().contains("client_secret_basic"));
        replica.follow().await;
        let refused = replica.token("worker", "a secret of worker", "").await;
        refused.assert_error(401, "invalid_client");
    }
}
