//! Between looking and signing (DESIGN section 1): what changes while a request waits, for a hash or for the replay
//! cache, counts for that request.

use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::identifier::{ClientId, CredentialId};
use grantd::domain::timestamp::Seconds;
use grantd::store::DatabaseOptions;

use crate::assertion::signer;
use crate::harness::*;

/// [`CATALOG`] with a second client of the API, so that either can be changed.
fn catalog() -> String {
    CATALOG.replace("[\"api\"]", "[\"api\", \"another\"]")
}

/// A replica that remembers every client, and whose hashes wait until the sender is dropped.
async fn held(env: &Env) -> (Replica, mpsc::Sender<()>) {
    let replica = env
        .replica_with(|settings| settings.hashing.threads = 1)
        .await;
    for client in ["reader", "api"] {
        replica
            .token(client, "a wrong secret of 1", "")
            .await
            .assert_error(401, "invalid_client");
    }
    let (release, held) = mpsc::channel::<()>();
    let (started, start) = tokio::sync::oneshot::channel();
    replica.grantd.hashing().idle(move || {
        started.send(()).unwrap();
        let _ = held.recv();
    });
    start.await.unwrap();
    (replica, release)
}

/// Lets a request go as far as it can without waiting for anybody; it must not have ended then.
async fn begin<'r>(
    request: impl Future<Output = Answer> + 'r,
) -> Pin<Box<dyn Future<Output = Answer> + 'r>> {
    let mut request: Pin<Box<dyn Future<Output = Answer>>> = Box::pin(request);
    let waits = std::future::poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx).is_pending()));
    assert!(waits.await, "it waits");
    request
}

async fn credential_of(env: &Env, client: &str) -> CredentialId {
    let id = ClientId::parse(client).unwrap();
    let known = env.store.load_client(&id).await.unwrap().value.unwrap();
    known.credentials[0].id.clone()
}

async fn retire(env: &Env, client: &str, compromised: bool) {
    let id = credential_of(env, client).await;
    env.retire(&id, compromised).await;
}

fn disabled(client: &str) -> String {
    let stated = format!("id = \"{client}\"");
    catalog().replace(&stated, &format!("{stated}\nstatus = \"disabled\""))
}

/// [`catalog`] without the part that begins with `start`, up to the next client.
fn without(start: &str) -> String {
    let catalog = catalog();
    let at = catalog.find(start).unwrap();
    let end = catalog[at + 1..]
        .find("[[client]]")
        .map_or(catalog.len(), |end| at + 1 + end);
    format!("{}{}", &catalog[..at], &catalog[end..])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Retired,
    Disabled,
    Deleted,
    MethodTaken,
    PolicyTaken,
    NotServed,
}

impl Change {
    /// Makes the change to `client`, as a command or an `apply` of another process does.
    async fn make(self, env: &Env, client: &str) {
        let begin = format!("[[client]]\nid = \"{client}\"");
        match self {
            Self::Retired => retire(env, client, false).await,
            Self::Disabled => drop(env.apply(&disabled(client)).await),
            Self::Deleted => drop(env.prune(&without(&begin)).await),
            Self::MethodTaken => {
                let other = catalog()
                    .replace(
                        "[\"client_secret_basic\", \"client_secret_post\"]",
                        "\"client_secret_post\"",
                    )
                    .replace(
                        "auth = \"client_secret_basic\"",
                        "auth = \"client_secret_post\"",
                    );
                env.apply(&other).await;
            }
            Self::PolicyTaken => drop(env.prune(&without("  [[client.policy]]")).await),
            Self::NotServed => {
                env.apply(&CATALOG.replace("[\"api\"]", "[\"another\"]"))
                    .await;
            }
        }
    }
}

on_both! {
    async fn a_secret_that_no_longer_counts_when_its_hash_is_done_gets_no_token(env) {
        use Change::{Deleted, Disabled, MethodTaken, PolicyTaken, Retired};
        for change in [Retired, Disabled, Deleted, MethodTaken, PolicyTaken] {
            env.prune(&catalog()).await;
            env.clock.advance(Seconds::new(5));
            let (replica, release) = held(&env).await;
            let request = begin(replica.token("reader", READER, "")).await;
            change.make(&env, "reader").await;
            replica.follow().await;
            drop(release);
            let answer = request.await;
            match change {
                PolicyTaken => answer.assert_error(400, "unauthorized_client"),
                _ => answer.assert_error(401, "invalid_client"),
            }
            // What was retired stays so: the next round needs a secret that is there.
            env.prune(catalog().split_once("[[client]]").unwrap().0).await;
            env.clock.advance(Seconds::new(5));
        }
    }

    async fn a_secret_that_is_retired_while_its_hash_waits_raises_the_alert(env) {
        env.apply(&catalog()).await;
        let (replica, release) = held(&env).await;
        let request = begin(replica.token("reader", READER, "")).await;
        retire(&env, "reader", false).await;
        replica.follow().await;
        drop(release);
        request.await.assert_error(401, "invalid_client");
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
    }

    async fn what_was_seen_before_a_wait_that_outlives_the_feed_counts_for_nothing(env) {
        env.apply(&catalog()).await;
        let (replica, release) = held(&env).await;
        let token = begin(replica.token("reader", READER, "")).await;
        let introspection = begin(replica.introspect("api", API, "a token")).await;
        env.clock.advance(Seconds::new(31));
        drop(release);
        token.await.assert_error(503, "temporarily_unavailable");
        introspection.await.assert_error(503, "temporarily_unavailable");
    }

    async fn an_assertion_that_no_longer_counts_when_it_is_spent_gets_no_token(env) {
        use Change::{Disabled, Retired};
        for change in [Retired, Disabled] {
            let key = signer::Key::new(SigningAlgorithm::Es256);
            let catalog = signer::catalog(&[&key], "");
            env.prune(&catalog).await;
            env.clock.advance(Seconds::new(5));
            let options = DatabaseOptions::new(env.database.url.clone());
            let replica = env.replica_that_spends_nothing(env.clock.clone(), options, |_| {});
            replica.follow().await;
            let worker = ClientId::parse("worker").unwrap();
            replica.grantd.directory().client(&worker).await.unwrap().unwrap();
            let assertion = key.sign(&signer::claims("worker", &format!("{change:?}")));
            let request = begin(signer::token(&replica, &assertion)).await;
            if change == Retired {
                retire(&env, "worker", false).await;
            } else {
                let stated = "id = \"worker\"\n        status = \"disabled\"";
                env.apply(&catalog.replace("id = \"worker\"", stated)).await;
            }
            replica.follow().await;
            replica.spend_what_waits();
            request.await.assert_error(401, "invalid_client");
        }
    }

    async fn introspection_answers_by_what_holds_when_the_callers_hash_is_done(env) {
        use Change::{Deleted, Disabled, NotServed, Retired};
        for (change, client) in [
            (Disabled, "api"), (Retired, "api"), (Disabled, "reader"), (Deleted, "reader"), (NotServed, "api"),
        ] {
            env.prune(&catalog()).await;
            env.clock.advance(Seconds::new(5));
            let (replica, release) = held(&env).await;
            let other = env.replica().await;
            let token = other.issued("reader", READER, "").await;
            let request = begin(replica.introspect("api", API, &token)).await;
            change.make(&env, client).await;
            replica.follow().await;
            drop(release);
            let answer = request.await;
            if client == "api" && change != NotServed {
                answer.assert_error(401, "invalid_client");
            } else {
                assert_eq!(answer.body, br#"{"active":false}"#, "{change:?} {answer:?}");
            }
            env.prune(catalog().split_once("[[client]]").unwrap().0).await;
            env.clock.advance(Seconds::new(5));
        }
    }

    async fn a_token_that_expires_while_the_callers_hash_waits_is_inactive(env) {
        env.apply(&catalog()).await;
        let (replica, release) = held(&env).await;
        let token = env.replica().await.issued("reader", READER, "").await;
        let request = begin(replica.introspect("api", API, &token)).await;
        env.clock.advance(Seconds::new(300));
        replica.follow().await;
        drop(release);
        assert_eq!(request.await.body, br#"{"active":false}"#);
    }

    async fn a_client_that_is_disabled_while_its_hash_waits_revokes_nothing(env) {
        env.apply(&catalog()).await;
        let (replica, release) = held(&env).await;
        let token = env.replica().await.issued("reader", READER, "").await;
        let request = begin(replica.revoke("reader", READER, &token)).await;
        env.apply(&disabled("reader")).await;
        replica.follow().await;
        drop(release);
        request.await.assert_error(401, "invalid_client");
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        assert!(!env.store.is_revoked(&jti).await.unwrap());
    }
}
