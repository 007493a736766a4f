//! A proof works once: on every replica, after a restart, and while others try the same.

use std::sync::Arc;

use grantd::domain::timestamp::Seconds;

use super::*;

on_both! {
    /// 9449-02.
    async fn a_proof_works_once_on_all_replicas_and_after_a_restart(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let proof = Prover::new().right();
        assert_eq!(here.prove(&[&proof], "").await.status, 200);
        for replica in [&here, &there, &env.replica().await] {
            let replayed = replica.prove(&[&proof], "").await;
            replayed.assert_error(400, "invalid_dpop_proof");
        }
        env.clock.advance(Seconds::new(60));
        here.follow().await;
        here.grantd.sweep().await;
        here.prove(&[&proof], "").await.assert_error(400, "invalid_dpop_proof");
    }

    /// 9449-05.
    async fn one_name_is_spent_for_one_key_at_one_uri(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let (one, other) = (Prover::new(), Prover::new());
        let named = json!({ "jti": "the same" });
        assert_eq!(replica.prove(&[&one.proof(&named)], "").await.status, 200);
        assert_eq!(replica.prove(&[&other.proof(&named)], "").await.status, 200);
        let again = json!({ "jti": "the same", "iat": START + 1 });
        let elsewhere = json!({ "jti": "the same", "htu": "https://AUTH.example:443/oauth2/token?x" });
        for claims in [again, elsewhere] {
            let replayed = replica.prove(&[&one.proof(&claims)], "").await;
            replayed.assert_error(400, "invalid_dpop_proof");
        }
    }

    /// Each of twenty rounds has one winner.
    async fn of_many_that_use_one_proof_at_once_one_gets_a_token(env) {
        env.apply(CATALOG).await;
        let replicas = [Arc::new(env.replica().await), Arc::new(env.replica().await)];
        let prover = Prover::new();
        for round in 0..20 {
            let proof = prover.right();
            let uses: Vec<_> = (0..10)
                .map(|n| {
                    let (replica, proof) = (Arc::clone(&replicas[n % 2]), proof.clone());
                    tokio::spawn(async move { replica.prove(&[&proof], "").await })
                })
                .collect();
            let mut issued = 0;
            for used in uses {
                let answer = used.await.unwrap();
                if answer.status == 200 {
                    issued += 1;
                } else {
                    answer.assert_error(400, "invalid_dpop_proof");
                }
            }
            assert_eq!(issued, 1, "round {round}");
        }
    }

    /// 6749-34
    async fn where_a_use_cannot_be_kept_there_is_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.database.hide_table("used_assertions").await;
        let unavailable = replica.prove(&[&Prover::new().right()], "").await;
        unavailable.assert_error(503, "temporarily_unavailable");
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }
}
