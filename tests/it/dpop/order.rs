//! DESIGN's order for an assertion with a proof: assertion, proof and nonce, then the `jti` of both, then policy.

use grantd::domain::algorithm::SigningAlgorithm;

use super::*;
use crate::assertion::signer::{Key, TYPE, catalog, claims};

impl Replica {
    /// Asks for a token as `worker` with an assertion and a proof.
    async fn ask_by_key(&self, assertion: &str, proof: &str, more: &str) -> Answer {
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}\
             &client_assertion={assertion}{more}"
        );
        self.post("/oauth2/token", &[("dpop", proof)], &form).await
    }
}

/// A replica that demands nonces and knows `worker` by a key; the right nonce.
async fn strict(env: &Env) -> (Replica, Key, String) {
    let key = Key::new(SigningAlgorithm::Es256);
    env.apply(&catalog(&[&key], "dpop_bound_access_tokens = true"))
        .await;
    let replica = env
        .replica_with(|settings| settings.dpop.require_nonce = true)
        .await;
    let nonce = replica.grantd.dpop_nonce().unwrap();
    (replica, key, nonce)
}

on_both! {
    /// 9449-04.
    async fn to_be_asked_for_a_nonce_spends_no_assertion(env) {
        let (replica, key, _) = strict(&env).await;
        let (assertion, prover) = (key.sign(&claims("worker", "1")), Prover::new());
        let asked = replica.ask_by_key(&assertion, &prover.right(), "").await;
        asked.assert_error(400, "use_dpop_nonce");
        let nonce = asked.headers["dpop-nonce"].to_str().unwrap();
        let wrong = prover.proof(&json!({ "nonce": nonce, "htm": "GET" }));
        let refused = replica.ask_by_key(&assertion, &wrong, "").await;
        refused.assert_error(400, "invalid_dpop_proof");
        let right = prover.proof(&json!({ "nonce": nonce }));
        let answer = replica.ask_by_key(&assertion, &right, "").await;
        assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
        let again = prover.proof(&json!({ "nonce": nonce }));
        replica.ask_by_key(&assertion, &again, "").await.assert_error(401, "invalid_client");
    }

    async fn a_refusal_by_policy_spends_assertion_and_proof(env) {
        let (replica, key, nonce) = strict(&env).await;
        let (assertion, prover) = (key.sign(&claims("worker", "1")), Prover::new());
        let proof = prover.proof(&json!({ "nonce": nonce }));
        let refused = replica.ask_by_key(&assertion, &proof, "&scope=never").await;
        refused.assert_error(400, "invalid_scope");
        let fresh = prover.proof(&json!({ "nonce": nonce }));
        replica.ask_by_key(&assertion, &fresh, "").await.assert_error(401, "invalid_client");
        let assertion = key.sign(&claims("worker", "2"));
        let replayed = replica.ask_by_key(&assertion, &proof, "").await;
        replayed.assert_error(400, "invalid_dpop_proof");
    }

    /// A wrong assertion is refused before its proof is looked at; a used one spends no proof.
    async fn the_client_proves_itself_before_its_proof_counts(env) {
        let (replica, key, nonce) = strict(&env).await;
        let (stranger, prover) = (Key::new(SigningAlgorithm::Es256), Prover::new());
        let foreign = stranger.sign(&claims("worker", "1"));
        replica.ask_by_key(&foreign, "garbage", "").await.assert_error(401, "invalid_client");
        let proof = prover.proof(&json!({ "nonce": nonce }));
        replica.ask_by_key(&foreign, &proof, "").await.assert_error(401, "invalid_client");
        let used = key.sign(&claims("worker", "2"));
        let other = prover.proof(&json!({ "nonce": nonce }));
        assert_eq!(replica.ask_by_key(&used, &other, "").await.status, 200);
        replica.ask_by_key(&used, &proof, "").await.assert_error(401, "invalid_client");
        let fresh = key.sign(&claims("worker", "3"));
        assert_eq!(replica.ask_by_key(&fresh, &proof, "").await.status, 200);
    }

    /// A proof of the very key that the client is registered with is a proof like any other; neither the
    /// assertion nor the proof can stand in the other's place (B-J14, 8725-01).
    async fn an_assertion_is_no_proof_and_a_proof_no_assertion(env) {
        let (replica, key, nonce) = strict(&env).await;
        let proof = Prover::new().proof(&json!({
            "nonce": nonce, "iss": "worker", "sub": "worker", "aud": ISSUER, "exp": START + 60,
        }));
        let assertion = key.sign(&claims("worker", "1"));
        let refused = replica.ask_by_key(&assertion, &assertion, "").await;
        refused.assert_error(400, "invalid_dpop_proof");
        replica.ask_by_key(&proof, &proof, "").await.assert_error(401, "invalid_client");
        assert_eq!(replica.ask_by_key(&assertion, &proof, "").await.status, 200);
    }
}
