//! Answers when grantd cannot judge now: full queues, nothing loaded, nothing heard of the database (6749-34).

use std::sync::{Arc, mpsc};
use std::time::Duration;

use grantd::config::settings::Hashing;
use grantd::domain::timestamp::Seconds;
use tokio::task::JoinSet;

use super::*;

/// One thread, for which so many secrets of each kind may wait.
fn queues(generated_queue: usize, imported_queue_per_thread: usize) -> Hashing {
    Hashing {
        threads: 1,
        generated_queue,
        imported_queue_per_thread,
    }
}

/// The next answer; one that does not come is a queue without bound.
async fn next(requests: &mut JoinSet<Answer>) -> Answer {
    let next = tokio::time::timeout(Duration::from_secs(30), requests.join_next());
    next.await.expect("answered in time").unwrap().unwrap()
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    let seconds: u32 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds));
}

on_both! {
    /// B-C05.
    async fn what_no_longer_fits_into_the_queue_gets_503_and_the_rest_is_judged(env) {
        env.apply(CATALOG).await;
        let replica = Arc::new(env.replica_with(|settings| settings.hashing = queues(2, 2)).await);
        let (release, held) = mpsc::channel::<()>();
        let (started, start) = tokio::sync::oneshot::channel();
        replica.grantd.hashing().idle(move || {
            started.send(()).unwrap();
            let _ = held.recv();
        });
        start.await.unwrap();
        let mut requests = JoinSet::new();
        for number in 0..20 {
            let replica = Arc::clone(&replica);
            let client = if number % 2 == 0 { "reader" } else { "nobody" };
            requests.spawn(async move { replica.token(client, "a wrong secret of 1", "").await });
        }
        let mut answers = Vec::new();
        while answers.len() < 18 {
            answers.push(next(&mut requests).await);
        }
        answers.iter().for_each(assert_unavailable);
        // The keys are published all the while.
        assert_eq!(replica.get("/oauth2/jwks").await.status, 200);
        drop(release);
        for _ in 0..2 {
            next(&mut requests).await.assert_error(401, "invalid_client");
        }
    }

    /// B-C05.
    async fn the_answer_of_a_full_queue_does_not_depend_on_the_client(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.hashing = queues(0, 0)).await;
        let full = replica.token("nobody", "a wrong secret of 1", "").await;
        assert_unavailable(&full);
        for (client, secret) in
            [("reader", "a wrong secret of 1"), ("reader", READER), ("api", API)]
        {
            assert_eq!(replica.token(client, secret, "").await.same(), full.same());
        }
        let answer = replica.token("reader", &generated_secret("aaaaaaaaaa", "A"), "").await;
        assert_eq!(answer.same(), full.same());
        assert_eq!(replica.introspect("api", API, "x").await.same(), full.same());
        assert_eq!(replica.get("/oauth2/jwks").await.status, 200);
    }

    /// B-C05.
    async fn a_flood_of_imported_secrets_stops_no_generated_one(env) {
        let generated = generated_secret("aaaaaaaaaa", "A");
        env.apply(&with_clients(&[
            ("reader", &format!("secret = \"{generated}\"")),
            ("imported", "secret = \"secret that is imported\""),
        ]))
        .await;
        let replica = env.replica_with(|settings| settings.hashing = queues(1, 0)).await;
        for _ in 0..3 {
            assert_unavailable(&replica.token("imported", "secret that is imported", "").await);
            assert_eq!(replica.token("reader", &generated, "").await.status, 200);
        }
    }

    /// 6749-34.
    async fn before_anything_was_loaded_the_answer_is_503(env) {
        env.apply(CATALOG).await;
        let replica = env.unloaded_replica(|_| {});
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            assert_unavailable(&replica.post(path, &[], &format!("{FORM}&token=x")).await);
        }
        assert_unavailable(&replica.get("/oauth2/jwks").await);
        replica.follow().await;
        assert_eq!(replica.ask(FORM).await.status, 200);
    }

    /// 6749-34.
    async fn what_is_too_old_is_not_trusted(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.clock.advance(Seconds::new(30));
        assert_eq!(replica.ask(FORM).await.status, 200);
        env.clock.advance(Seconds::new(1));
        assert_unavailable(&replica.ask(FORM).await);
        assert_unavailable(&replica.introspect("api", API, "x").await);
        assert_eq!(replica.get("/oauth2/jwks").await.status, 200);
        replica.follow().await;
        assert_eq!(replica.ask(FORM).await.status, 200);
    }
}
