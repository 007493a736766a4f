//! The keys that a client publishes by URL (FEDERATION section 1): whose keys count, how often their source is asked,
//! and what a source does that must do no harm.

mod catalogs;
mod crowd;
mod misbehaviour;
mod plain;
pub(crate) mod publisher;
mod refresh;

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use self::publisher::{Manner, Publisher};
use crate::assertion::signer::{Key, claims, token};
use crate::harness::{Answer, Env, Replica};

fn key() -> Key {
    Key::new(SigningAlgorithm::Es256)
}

/// A replica that knows `worker` by what is published, which is this new key.
async fn worker(env: &Env) -> (Replica, Publisher, Key) {
    let key = key();
    let publisher = Publisher::start(Manner::keys(&[&key])).await;
    env.apply(&publisher.catalog()).await;
    (env.replica().await, publisher, key)
}

/// A token by an assertion that was never used. Who is told to come again does, as a client would: a busy machine may
/// need more than the two seconds that a request waits, and by a clock that stands still no further fetch begins.
async fn asks(replica: &Replica, key: &Key) -> Answer {
    let answer = asks_once(replica, key).await;
    match answer.status.as_u16() {
        503 => asks_once(replica, key).await,
        _ => answer,
    }
}

async fn asks_once(replica: &Replica, key: &Key) -> Answer {
    let now = replica.grantd.clock().now().unix();
    let mut claims = claims("worker", &grantd::crypto::random::token_id());
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 60);
    token(replica, &key.sign(&claims)).await
}

fn assert_unavailable(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}
