//! Nonces of the server, RFC 9449 section 8.

use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::domain::timestamp::Seconds;

use super::*;

impl Env {
    async fn strict_replica(&self) -> Replica {
        self.replica_with(|settings| settings.dpop.require_nonce = true)
            .await
    }
}

/// That the answer asks for a nonce; gives it.
fn asked(answer: &Answer) -> String {
    answer.assert_error(400, "use_dpop_nonce");
    nonce_of(answer)
}

fn nonce_of(answer: &Answer) -> String {
    answer.headers["dpop-nonce"].to_str().unwrap().to_owned()
}

on_both! {
    /// 9449-04.
    async fn a_nonce_is_asked_for_and_nothing_is_spent(env) {
        env.apply(CATALOG).await;
        let replica = env.strict_replica().await;
        let prover = Prover::new();
        let nonce = asked(&replica.prove(&[&prover.proof(&json!({ "jti": "one" }))], "").await);
        for wrong in [json!(""), json!("never given"), json!([nonce]), json!(7)] {
            let proof = prover.proof(&json!({ "jti": "one", "nonce": wrong }));
            assert_eq!(asked(&replica.prove(&[&proof], "").await), nonce);
        }
        let right = prover.proof(&json!({ "jti": "one", "nonce": nonce }));
        let answer = replica.prove(&[&right], "").await;
        assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
        assert_eq!(nonce_of(&answer), nonce);
        replica.prove(&[&right], "").await.assert_error(400, "invalid_dpop_proof");
    }

    /// 9449-04.
    async fn every_replica_takes_the_nonce_also_after_a_restart(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.strict_replica().await, env.strict_replica().await);
        let prover = Prover::new();
        let nonce = asked(&here.prove(&[&prover.right()], "").await);
        assert_eq!(asked(&there.prove(&[&prover.right()], "").await), nonce);
        for replica in [&there, &env.strict_replica().await] {
            let proof = prover.proof(&json!({ "nonce": nonce }));
            assert_eq!(replica.prove(&[&proof], "").await.status, 200);
        }
    }

    /// 9449-04.
    async fn a_nonce_holds_for_its_minute_and_the_next(env) {
        env.apply(CATALOG).await;
        let replica = env.strict_replica().await;
        let prover = Prover::new();
        let nonce = asked(&replica.prove(&[&prover.right()], "").await);
        let mut last = nonce.clone();
        for seconds in [59, 60, 119] {
            let iat = START + seconds;
            env.clock.advance(Seconds::new(u32::try_from(iat - env.clock.now().unix()).unwrap()));
            replica.follow().await;
            let proof = prover.proof(&json!({ "iat": iat, "nonce": nonce }));
            let answer = replica.prove(&[&proof], "").await;
            assert_eq!(answer.status, 200, "{seconds}");
            last = nonce_of(&answer);
            assert_eq!(last == nonce, seconds < 60, "{seconds}");
        }
        env.clock.advance(Seconds::new(1));
        let proof = prover.proof(&json!({ "iat": START + 120, "nonce": nonce }));
        asked(&replica.prove(&[&proof], "").await);
        let proof = prover.proof(&json!({ "iat": START + 120, "nonce": last }));
        assert_eq!(replica.prove(&[&proof], "").await.status, 200);
    }

    /// A replica whose sealing key is new still takes what the old one made.
    async fn a_nonce_outlives_the_change_of_the_sealing_key(env) {
        env.apply(CATALOG).await;
        let before = env.strict_replica().await;
        let changed = SealingKeys {
            first: SealingKey::generate(),
            old: vec![env.sealing.first.clone()],
        };
        let env = Env { sealing: changed, ..env };
        let after = env.strict_replica().await;
        let prover = Prover::new();
        let nonce = asked(&before.prove(&[&prover.right()], "").await);
        let proof = prover.proof(&json!({ "nonce": nonce }));
        let answer = after.prove(&[&proof], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_ne!(nonce_of(&answer), nonce);
    }

    async fn a_request_without_a_proof_and_a_wrong_proof_are_not_asked_for_a_nonce(env) {
        env.apply(CATALOG).await;
        let replica = env.strict_replica().await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        let refused = replica.prove(&["garbage"], "").await;
        refused.assert_error(400, "invalid_dpop_proof");
        assert!(!refused.headers.contains_key("dpop-nonce"));
    }
}
