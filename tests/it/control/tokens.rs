//! `POST /_test/tokens`: one token, as a client would get it but for what a test wants otherwise.

use grantd::crypto::jws::held_key::HeldKey;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::lineup::TakeOver;
use grantd::operations::actor::Actor;
use grantd::operations::rotate_keys::KeyRotation;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, json};

use super::*;
use crate::catalogs::{audience, by_secret, policy, reads};

/// A second API and a second client, which comes first in the alphabet and not in the catalog.
fn catalog() -> String {
    let billing = audience(
        "billing",
        "bill",
        "served_by = [\"api\"]\ntoken_lifetime = \"2m\"",
    );
    let accounts = by_secret("accounts", "accounts secret 1", &reads("pricing"));
    let ledger = by_secret(
        "ledger",
        "ledger secret of 1",
        &[
            policy("billing", "bill", "bill"),
            policy("pricing", "read", "read"),
        ],
    );
    format!("{CATALOG}{billing}{accounts}{ledger}")
}

impl Lab {
    /// The answer to a request for a token, which must be made.
    #[track_caller]
    pub(crate) fn minted(&self, wanted: &Value) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        let wanted = wanted.to_string();
        async move {
            let (status, made) = self.ask("POST /_test/tokens", &wanted).await;
            assert_eq!(status, 200, "{place}: {wanted}: {made}");
            made
        }
    }

    pub(super) async fn token_of(&self, wanted: Value) -> String {
        self.minted(&wanted).await["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The published key of this name, for `jsonwebtoken`.
    pub(super) async fn published_key(&self, kid: &str) -> Option<DecodingKey> {
        let jwks = self.replica.get("/oauth2/jwks").await.json();
        let jwks: JwkSet = serde_json::from_value(jwks).unwrap();
        jwks.find(kid)
            .map(|jwk| DecodingKey::from_jwk(jwk).unwrap())
    }

    /// What another library thinks of a token: its claims where the signature is right.
    pub(super) async fn by_another_library(&self, token: &str) -> Option<Value> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = self.published_key(&header.kid?).await?;
        signed_by(token, &key, header.alg)
    }
}

/// The claims, where `key` signed them.
fn signed_by(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Value> {
    let mut only_signature = Validation::new(algorithm);
    only_signature.required_spec_claims.clear();
    only_signature.validate_exp = false;
    only_signature.validate_aud = false;
    let read = jsonwebtoken::decode::<Value>(token, key, &only_signature);
    read.ok().map(|it| it.claims)
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

on_both! {
    async fn by_default_it_is_what_a_client_gets(env) {
        let lab = Lab::new(env, &catalog()).await;
        let real = lab.replica.issued("reader", READER, "").await;
        let made = lab.minted(&json!({})).await;
        let (header, claims) = decoded(made["access_token"].as_str().unwrap());
        let (real_header, mut real_claims) = decoded(&real);
        assert_eq!(header, real_header);
        assert_eq!((&made["header"], &made["claims"]), (&header, &claims));
        // The clock stands still.
        let (jti, real_jti) = (claims["jti"].clone(), real_claims["jti"].clone());
        assert_ne!(jti, real_jti);
        let credential = |jti: &Value| jti.as_str().unwrap().split('.').next().unwrap().to_owned();
        assert_eq!(credential(&jti), credential(&real_jti), "the client's own");
        real_claims["jti"] = jti;
        assert_eq!(claims, real_claims);
        let told = [&made["token_type"], &made["expires_in"], &made["scope"]];
        assert_eq!(told, [&json!("Bearer"), &json!(300), &json!("read")]);
        assert!(made["expect"].is_null() && made["why"].is_null());
        assert!(lab.replica.is_active(made["access_token"].as_str().unwrap()).await);
        let (status, again) = lab.ask("POST /_test/tokens", "").await;
        assert_eq!((status, &again["claims"]["sub"]), (200, &json!("reader")));
    }

    async fn a_client_without_a_policy_gets_one_as_well(env) {
        let lab = Lab::new(env, &catalog()).await;
        for (wanted, subject, aud, scope, lifetime) in [
            (json!({ "client_id": "ledger" }), "ledger", "billing", "bill", 120),
            (json!({ "audience": "billing" }), "ledger", "billing", "bill", 120),
            (json!({ "client_id": "ledger", "audience": "pricing" }), "ledger", "pricing", "read", 300),
            (json!({ "client_id": "reader", "audience": "billing" }), "reader", "billing", "bill", 120),
            (json!({ "client_id": "api" }), "api", "billing", "bill", 120),
            (json!({ "scope": "write x:y" }), "reader", "pricing", "write x:y", 300),
            (json!({ "lifetime": "30d" }), "reader", "pricing", "read", 30 * 86_400),
        ] {
            let claims = lab.minted(&wanted).await["claims"].clone();
            let found = [&claims["sub"], &claims["client_id"], &claims["aud"], &claims["scope"]];
            assert_eq!(found, [subject, subject, aud, scope], "{wanted}");
            assert_eq!(claims["exp"].as_i64().unwrap() - START, lifetime, "{wanted}");
        }
    }

    async fn times_are_as_a_test_wants_them(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (wanted, iat, exp, left) in [
            (json!({ "issued_at": "-10m", "lifetime": "5m" }), -600, -300, 0),
            (json!({ "issued_at": "-1m", "lifetime": "5m" }), -60, 240, 240),
            (json!({ "issued_at": "+1h" }), 3600, 3900, 3900),
            (json!({ "issued_at": "2026-01-01T00:00:10Z" }), 10, 310, 310),
            (json!({ "issued_at": START - 5, "lifetime": "1s" }), -5, -4, 0),
        ] {
            let made = lab.minted(&wanted).await;
            let at = |name: &str| made["claims"][name].as_i64().unwrap() - START;
            assert_eq!((at("iat"), at("exp")), (iat, exp), "{wanted}");
            assert_eq!(made["expires_in"], left, "{wanted}");
            let is_active = (-exp..).contains(&0) && iat <= 0 && exp > 0;
            let token = made["access_token"].as_str().unwrap();
            assert_eq!(lab.replica.is_active(token).await, is_active, "{wanted}");
        }
    }

    async fn claims_and_header_are_laid_over_and_null_takes_away(env) {
        let lab = Lab::new(env, CATALOG).await;
        let plain = lab.minted(&json!({})).await;
        let made = lab.minted(&json!({
            "claims": { "tenant": "other", "aud": ["pricing", "x"], "jti": null, "deep": { "a": [null, 1.5] } },
            "header": { "kid": "nope", "typ": null, "x": {} },
            "confirmation": { "x5t#S256": "a-thumbprint" },
        })).await;
        let mut expected = members(&plain["claims"]);
        expected.remove("jti");
        let more = json!({
            "tenant": "other", "aud": ["pricing", "x"], "deep": { "a": [null, 1.5] },
            "cnf": { "x5t#S256": "a-thumbprint" },
        });
        expected.extend(members(&more));
        let (header, claims) = decoded(made["access_token"].as_str().unwrap());
        assert_eq!(members(&claims), expected);
        assert_eq!(header, json!({ "alg": "ES256", "kid": "nope", "x": {} }));
        assert_eq!((&made["header"], &made["claims"]), (&header, &claims));
        assert_eq!(made["token_type"], "Bearer");
        // Signed by the right key all the same.
        let kid = plain["header"]["kid"].as_str().unwrap();
        let key = lab.published_key(kid).await.unwrap();
        let token = made["access_token"].as_str().unwrap();
        assert_eq!(signed_by(token, &key, Algorithm::ES256), Some(claims));
        let bound = lab.minted(&json!({ "confirmation": { "jkt": "a-thumbprint" } })).await;
        assert_eq!(bound["token_type"], "DPoP");
        let introspected = lab.replica.introspect("api", API, bound["access_token"].as_str().unwrap()).await.json();
        assert_eq!(introspected["cnf"], json!({ "jkt": "a-thumbprint" }), "{introspected}");
    }

    async fn a_key_is_chosen_by_what_the_issuer_knows_of_it(env) {
        let lab = Lab::new(env, CATALOG).await;
        let kid = |made: &Value| made["header"]["kid"].as_str().unwrap().to_owned();
        let minted = async |key: &str| lab.minted(&json!({ "key": key })).await;
        let (active, next) = (minted("active").await, minted("next").await);
        let (retired, unknown) = (minted("retired").await, minted("unknown").await);
        let kids: std::collections::BTreeSet<_> = [&active, &next, &retired, &unknown].map(kid).into();
        assert_eq!(kids.len(), 4);
        for (made, is_published) in [(&active, true), (&next, true), (&retired, false), (&unknown, false)] {
            assert_eq!(lab.published_key(&kid(made)).await.is_some(), is_published, "{made}");
            let token = made["access_token"].as_str().unwrap();
            assert_eq!(lab.replica.is_active(token).await, is_published, "{made}");
            assert_eq!(lab.by_another_library(token).await.is_some(), is_published);
        }
        assert_eq!(kid(&minted("retired").await), kid(&retired), "one is enough");
        assert_eq!(lab.minted(&json!({})).await["header"]["kid"], active["header"]["kid"]);
        let real = lab.replica.issued("reader", READER, "").await;
        assert_eq!(decoded(&real).0["kid"], active["header"]["kid"], "making others changes nothing");
        // A real one counts as soon as it is withdrawn.
        let rotation = KeyRotation {
            store: &lab.env.store,
            sealing: &lab.env.sealing,
            periods: lab.replica.settings.key_periods(),
            by: &Actor::named("test"),
        };
        rotation.rotate(None, TakeOver::Now).await.unwrap();
        lab.advance("3s").await;
        rotation.retire(&kid(&active), true).await.unwrap();
        lab.replica.follow().await;
        assert_eq!(kid(&minted("retired").await), kid(&active));
        let given = HeldKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let mut jwk = given.key().public().key_members();
        let pem = openssl::pkey::PKey::private_key_from_pem(given.pem().as_bytes()).unwrap();
        let d = grantd::crypto::digest::base64url(&pem.raw_private_key().unwrap());
        jwk.extend([("d".to_owned(), json!(d)), ("kid".to_owned(), json!("mine"))]);
        let made = lab.minted(&json!({ "key": jwk })).await;
        assert_eq!((&made["header"]["alg"], &made["header"]["kid"]), (&json!("EdDSA"), &json!("mine")));
        let public: jsonwebtoken::jwk::Jwk = serde_json::from_value(given.public_jwk()).unwrap();
        let public = DecodingKey::from_jwk(&public).unwrap();
        let token = made["access_token"].as_str().unwrap();
        assert_eq!(signed_by(token, &public, Algorithm::EdDSA).as_ref(), Some(&made["claims"]));
    }

    async fn an_algorithm_is_named_and_gets_a_key_where_it_has_none(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (alg, algorithm) in [
            ("EdDSA", Algorithm::EdDSA),
            ("RS256", Algorithm::RS256),
            ("PS256", Algorithm::PS256),
            ("ES256", Algorithm::ES256),
        ] {
            let made = lab.minted(&json!({ "alg": alg })).await;
            let token = made["access_token"].as_str().unwrap();
            assert_eq!(jsonwebtoken::decode_header(token).unwrap().alg, algorithm);
            assert_eq!(lab.by_another_library(token).await.as_ref(), Some(&made["claims"]), "{alg}");
            assert!(lab.replica.is_active(token).await, "{alg}");
            let again = lab.minted(&json!({ "alg": alg })).await;
            assert_eq!(again["header"]["kid"], made["header"]["kid"], "{alg}");
            for key in ["next", "retired"] {
                let other = lab.minted(&json!({ "alg": alg, "key": key })).await;
                assert_ne!(other["header"]["kid"], made["header"]["kid"], "{alg} {key}");
            }
        }
        let none = lab.token_of(json!({ "alg": "none" })).await;
        assert!(none.ends_with('.') && decoded(&none).0["alg"] == "none", "{none}");
        let confused = lab.minted(&json!({ "alg": "HS256" })).await;
        let kid = confused["header"]["kid"].as_str().unwrap();
        let jwks = lab.replica.get("/oauth2/jwks").await.json();
        let jwk = jwks["keys"].as_array().unwrap().iter().find(|it| it["kid"] == kid).unwrap();
        let pem = crate::verify_api::openssl_pem(jwk);
        let secret = DecodingKey::from_secret(pem.as_bytes());
        let token = confused["access_token"].as_str().unwrap();
        assert_eq!(signed_by(token, &secret, Algorithm::HS256).as_ref(), Some(&confused["claims"]));
        assert!(!lab.replica.is_active(token).await && !lab.replica.is_active(&none).await);
    }

    async fn a_flaw_comes_with_what_is_due(env) {
        let lab = Lab::new(env, CATALOG).await;
        let made = lab.minted(&json!({ "flaw": "expired" })).await;
        assert_eq!((&made["expect"], &made["expires_in"]), (&json!(401), &json!(0)), "{made}");
        assert!(made["why"].as_str().unwrap().contains("two minutes ago"));
        assert_eq!(made["claims"]["exp"], START - 120);
        let token = made["access_token"].as_str().unwrap();
        assert_eq!(made["headers"], json!({ "Authorization": format!("Bearer {token}") }));
        let scope = lab.minted(&json!({ "flaw": "scope_other", "scope": "read" })).await;
        assert_eq!((&scope["expect"], &scope["scope"]), (&json!(403), &json!("write")));
        assert_eq!(lab.minted(&json!({ "flaw": "two_tokens" })).await["expect"], json!([400, 401]));
        let proof = lab.minted(&json!({ "flaw": "proof_expired", "url": "http://localhost:1/x" })).await;
        assert_eq!(proof["token_type"], "DPoP");
        assert!(proof["headers"]["DPoP"].is_string() && proof["private_key_pem"].is_string());
    }

    async fn what_is_wrong_with_a_wish_is_told_with_its_place(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (wanted, status, at, nearest) in [
            (json!({ "client": "reader" }), 400, "client", Some("client_id")),
            (json!({ "client_id": "raeder" }), 404, "client_id", Some("reader")),
            (json!({ "audience": "princing" }), 404, "audience", Some("pricing")),
            (json!({ "audience": "" }), 404, "audience", None),
            (json!({ "scope": "a  b" }), 400, "scope", None),
            (json!({ "issued_at": "10m" }), 400, "issued_at", None),
            (json!({ "lifetime": 5 }), 400, "lifetime", None),
            (json!({ "claims": [] }), 400, "claims", None),
            (json!({ "key": "actve" }), 400, "key", Some("active")),
            (json!({ "key": { "kty": "EC" } }), 400, "key", None),
            (json!({ "key": 1 }), 400, "key", None),
            (json!({ "alg": "ES265" }), 400, "alg", Some("ES256")),
            (json!({ "alg": "None" }), 400, "alg", Some("none")),
            (json!({ "issuer": "stagin" }), 404, "issuer", Some("staging")),
            (json!({ "flaw": "expird" }), 400, "flaw", Some("expired")),
            (json!({ "flaw": "other_client" }), 400, "flaw", None),
            (json!({ "flaw": "expired", "claims": { "a": 1 } }), 400, "claims", None),
            (json!({ "flaw": "expired", "alg": "none" }), 400, "alg", None),
            (json!({ "flaw": "proof_expired" }), 400, "url", None),
            (json!({ "url": "http://localhost" }), 400, "url", None),
        ] {
            let (found, told) = lab.ask("POST /_test/tokens", &wanted.to_string()).await;
            assert_eq!((found, told["at"].as_str()), (status, Some(at)), "{wanted}: {told}");
            if nearest.is_some() {
                assert_eq!(told["nearest"].as_str(), nearest, "{wanted}: {told}");
            }
        }
    }
}
