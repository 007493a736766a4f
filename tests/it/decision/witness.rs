//! Whoever looks on is shown each decision, and may have it end otherwise: then nothing counts as issued.

use std::sync::Arc;

use axum::Extension;
use grantd::domain::decision::{Decided, Decision, Outcome};
use grantd::http::witness::{LooksOn, Witness};
use parking_lot::Mutex;

use crate::harness::*;

/// Spoils what was issued, and keeps what it is shown.
#[derive(Default)]
struct Spoiler {
    judged: Mutex<Vec<&'static str>>,
    written: Mutex<Vec<Decided>>,
}

impl LooksOn for Spoiler {
    fn judged(&self, _: &Decision, outcome: Outcome) -> Outcome {
        self.judged.lock().push(outcome.as_str());
        match outcome {
            Outcome::Issued => Outcome::Spoiled(Box::new(outcome)),
            other => other,
        }
    }

    fn written(&self, decided: &Decided) {
        self.written.lock().push(decided.clone());
    }
}

on_both! {
    async fn who_looks_on_sees_each_decision_and_spoils_what_it_likes(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let spoiler = Arc::new(Spoiler::default());
        let witness = Witness::new(Arc::clone(&spoiler) as _);
        let watched = Replica {
            router: replica.router.clone().layer(Extension(witness)),
            ..replica.at("192.0.2.7")
        };
        watched.token("reader", READER, "").await;
        watched.token("reader", "a wrong secret of 1", "").await;
        replica.issued("reader", READER, "").await;
        assert_eq!(*spoiler.judged.lock(), ["issued", "invalid_client"]);
        {
            let written = spoiler.written.lock();
            let [first, second] = written.as_slice() else {
                panic!("not two: {written:?}");
            };
            assert_eq!(first.outcome.as_str(), "fault");
            let decision = &first.decision;
            assert_eq!(decision.client.as_ref().unwrap().as_text(), "reader");
            assert_eq!((&decision.jti, decision.lifetime), (&None, None), "nobody got it");
            assert_eq!(second.outcome.as_str(), "invalid_client");
        }
        replica.grantd.write_waiting().await;
        let usage = env.store.token_usage(env.clock.now(), Some("reader")).await.unwrap();
        let of = |outcome: &str| usage.iter().filter(|(key, _)| key.outcome == outcome).map(|(_, it)| it.count).sum::<i64>();
        assert_eq!((of("issued"), of("fault"), of("invalid_client")), (1, 1, 1));
    }
}
