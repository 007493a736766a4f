//! The replay cache: each `jti` of a client is accepted once, whoever asks, wherever and however often.

use std::sync::Arc;

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::replay_cache::{Spending, Spent};
use grantd::store::used_assertions::UsedAssertion;
use serde_json::json;

use super::signer::{Key, catalog, claims, refusal, token, with_client, worker};
use crate::harness::{Replica, START, on_both};

/// Rounds of the parallel tests; each is 50 uses of one assertion.
const ROUNDS: usize = 100;
const PARALLEL: usize = 50;

/// How many of many parallel uses of one assertion, in turns at all replicas, got a token.
async fn tokens_of_parallel_uses(replicas: &[Arc<Replica>], assertion: &str) -> usize {
    let barrier = Arc::new(tokio::sync::Barrier::new(PARALLEL));
    let mut uses = tokio::task::JoinSet::new();
    for index in 0..PARALLEL {
        let replica = Arc::clone(&replicas[index % replicas.len()]);
        let (assertion, barrier) = (assertion.to_owned(), Arc::clone(&barrier));
        uses.spawn(async move {
            barrier.wait().await;
            token(&replica, &assertion).await.status.as_u16()
        });
    }
    let statuses = uses.join_all().await;
    assert!(
        statuses.iter().all(|status| [200, 401].contains(status)),
        "{statuses:?}"
    );
    statuses.iter().filter(|status| **status == 200).count()
}

fn used(key: &str) -> UsedAssertion {
    UsedAssertion {
        key: key.to_owned(),
        expires_at: Timestamp::from_unix(START + 60),
    }
}

on_both! {
    /// B-R01 7523-09
    async fn a_replayed_assertion_is_refused(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&replica, &assertion).await.status, 200);
        let expected = refusal(&replica).await.same();
        assert_eq!(token(&replica, &assertion).await.same(), expected);
    }

    /// B-R06: what counts is the `jti`, not the text; and each client has a space of its own.
    async fn another_assertion_with_the_same_jti_is_a_replay_but_not_another_clients(env) {
        let (worker_key, other_key) =
            (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        let both = with_client(&catalog(&[&worker_key], ""), "other", &[&other_key]);
        env.apply(&both).await;
        let replica = env.replica().await;
        assert_eq!(token(&replica, &worker_key.sign(&claims("worker", "1"))).await.status, 200);
        let mut again = claims("worker", "1");
        again["exp"] = json!(START + 61);
        assert_eq!(token(&replica, &worker_key.sign(&again)).await.status, 401);
        assert_eq!(token(&replica, &other_key.sign(&claims("other", "1"))).await.status, 200);
    }

    /// B-R04 B-R14: a new process knows nothing but what the database knows.
    async fn a_replay_after_a_restart_is_refused(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&replica, &assertion).await.status, 200);
        drop(replica);
        let restarted = env.replica().await;
        assert_eq!(token(&restarted, &assertion).await.status, 401);
    }

    /// B-R12: the sweeper takes no row whose assertion somebody would still accept.
    async fn the_sweeper_leaves_what_could_still_be_accepted(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&replica, &assertion).await.status, 200);
        env.clock.advance(Seconds::new(69));
        replica.follow().await;
        replica.grantd.sweep().await;
        let restarted = env.replica().await;
        assert_eq!(token(&restarted, &assertion).await.status, 401);
        assert!(env.store.use_assertions(&[used("x")]).await.unwrap().len() == 1);
        env.clock.advance(Seconds::new(700));
        replica.grantd.sweep().await;
        assert_eq!(env.store.use_assertions(&[used("x")]).await.unwrap(), ["x"], "gone by now");
    }

    /// B-R07 B-R08
    async fn an_assertion_that_is_refused_spends_nothing(env) {
        let (replica, key) = worker(&env).await;
        let stranger = Key::new(SigningAlgorithm::Es256);
        let mut wrong = claims("worker", "1");
        wrong["aud"] = json!("https://other.example");
        assert_eq!(token(&replica, &stranger.sign(&claims("worker", "1"))).await.status, 401);
        assert_eq!(token(&replica, &key.sign(&wrong)).await.status, 401);
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// B-R02.
    async fn fifty_parallel_uses_give_one_token_in_each_of_a_hundred_rounds(env) {
        let (replica, key) = worker(&env).await;
        let replicas = [Arc::new(replica)];
        for round in 0..ROUNDS {
            let assertion = key.sign(&claims("worker", &round.to_string()));
            assert_eq!(tokens_of_parallel_uses(&replicas, &assertion).await, 1, "round {round}");
        }
    }

    /// B-R03.
    async fn fifty_parallel_uses_across_two_replicas_give_one_token(env) {
        let (replica, key) = worker(&env).await;
        let replicas = [Arc::new(replica), Arc::new(env.replica().await)];
        for round in 0..ROUNDS {
            let assertion = key.sign(&claims("worker", &round.to_string()));
            assert_eq!(tokens_of_parallel_uses(&replicas, &assertion).await, 1, "round {round}");
        }
    }

    /// Many uses that wait while one statement runs are one statement, and two equal ones have one winner.
    async fn two_equal_jti_of_one_batch_have_one_winner(env) {
        let (replica, _) = worker(&env).await;
        let spend = |jti: &'static str| {
            let grantd = Arc::clone(&replica.grantd);
            async move {
                let spending = Spending {
                    kind: "assertion",
                    scope: &[b"worker"],
                    jti,
                    made_at: Timestamp::from_unix(START),
                    dead_at: Timestamp::from_unix(START + 60),
                };
                grantd.replay_cache().spend(spending).await.unwrap()
            }
        };
        let (a, b, c, d) = tokio::join!(spend("1"), spend("1"), spend("2"), spend("1"));
        let first = [a, b, d].into_iter().filter(|spent| *spent == Spent::First).count();
        assert_eq!((first, c), (1, Spent::First));
    }

    async fn batches_in_reversed_order_do_not_lock_each_other_out(env) {
        let other = env.replica().await;
        let keys: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
        for round in 0..20 {
            let forward: Vec<_> = keys.iter().map(|key| used(&format!("{round}{key}"))).collect();
            let backward: Vec<_> = forward.iter().rev().cloned().collect();
            let mut sorted = backward.clone();
            sorted.sort();
            let (a, b) = tokio::join!(
                env.store.use_assertions(&forward),
                other.grantd.store().use_assertions(&sorted)
            );
            assert_eq!(a.unwrap().len() + b.unwrap().len(), keys.len());
        }
    }
}
