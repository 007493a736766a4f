//! Assertions signed with SHA-384, as the SMART Backend Services of health care demand them: `RS384` or `ES384`, a `kid`,
//! `typ` JWT, the token endpoint as `aud`, at most five minutes.

use grantd::domain::accepted_algorithm::AcceptedAlgorithm;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::profile::Profile;
use serde_json::json;

use super::signer::{Key, assert_refused, catalog, catalog_of, claims, token};
use crate::harness::{ISSUER, START, on_both};

/// What a client of SMART is registered with.
const SMART: &str = "assertion_audience = \"issuer_or_token_endpoint\"";

fn smart(key: &Key, jti: &str) -> String {
    let mut claims = claims("worker", jti);
    claims["aud"] = json!(format!("{ISSUER}/oauth2/token"));
    claims["exp"] = json!(START + 300);
    key.sign(&claims)
}

on_both! {
    /// FED-19.
    async fn an_assertion_of_smart_proves_its_client(env) {
        for algorithm in [AcceptedAlgorithm::Rs384, AcceptedAlgorithm::Es384] {
            let key = Key::new(algorithm);
            env.prune(&catalog(&[&key], SMART)).await;
            let replica = env.replica().await;
            let answer = token(&replica, &smart(&key, algorithm.as_str())).await;
            assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
        }
    }

    /// FED-19: each algorithm has its curve and its hash.
    async fn a_key_on_p384_makes_no_es256(env) {
        let keys = [Key::new(AcceptedAlgorithm::Es384), Key::new(SigningAlgorithm::Es256)];
        env.apply(&catalog(&[&keys[0], &keys[1]], "")).await;
        let replica = env.replica().await;
        let text = claims("worker", "1").to_string();
        let under = |key: &Key, alg: &str| {
            key.sign_raw(&format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, key.kid()), &text)
        };
        assert_refused(&replica, &[
            under(&keys[0], "ES256"), under(&keys[0], "ES512"), under(&keys[0], "RS384"),
            under(&keys[1], "ES384"),
        ]).await;
        for key in &keys {
            assert_eq!(token(&replica, &key.sign(&claims("worker", key.kid()))).await.status, 200);
        }
    }

    /// FED-19: an `alg` in the JWK binds an RSA key to its hash as well as to its padding.
    async fn an_rsa_key_that_says_rs384_makes_nothing_else(env) {
        let key = Key::new(AcceptedAlgorithm::Rs384);
        let mut jwk = key.jwk();
        jwk.insert("alg".to_owned(), json!("RS384"));
        env.apply(&catalog_of(&json!({ "keys": [jwk] }), "")).await;
        let replica = env.replica().await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
        let rs256 = key.turned_to_rs256();
        assert_refused(&replica, &[rs256.sign(&claims("worker", "2"))]).await;
    }

    /// FED-19: the profile `fapi2` takes none of them, even by a key that is there.
    async fn fapi2_takes_no_sha_384(env) {
        for algorithm in [AcceptedAlgorithm::Es384, AcceptedAlgorithm::Rs384, AcceptedAlgorithm::Ps384] {
            let key = Key::new(algorithm);
            let mut jwk = key.jwk();
            jwk.insert("alg".to_owned(), json!(algorithm.as_str()));
            let catalog = catalog_of(&json!({ "keys": [jwk] }), "");
            env.prune(&catalog).await;
            let replica = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
            let answer = token(&replica, &key.sign(&claims("worker", "1"))).await;
            answer.assert_error(401, "invalid_client");
        }
    }
}
