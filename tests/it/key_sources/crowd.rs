//! Many sources that hang, which a stranger's requests may ask for: they keep nobody waiting but each other, and are asked
//! less and less where nobody needs them.

use std::time::Duration;

use futures_util::future::{join_all, pending};
use grantd::domain::timestamp::Seconds;
use serde_json::json;

use super::publisher::{Manner, Publisher};
use super::{asks, key, worker};
use crate::assertion::signer::{claims, token};
use crate::catalogs::{client, reads};
use crate::federation::{self, Platform, workload};
use crate::harness::{Env, Replica, on_both};

/// More than are fetched at once in any lane.
const CROWD: usize = 70;
/// The turns of clients' sources that nobody asked for yet, and of those that failed.
const NEW: usize = 64;
const FAILING: usize = 8;
/// Less than the 5 s that a source which hangs may take.
const SOON: Duration = Duration::from_secs(4);

/// So many clients whose keys are at `publisher`, one source each.
fn crowd(publisher: &Publisher) -> String {
    let one = |number| {
        client(
            &format!("dead-{number}"),
            &publisher.lines(),
            &reads("pricing"),
        )
    };
    (0..CROWD).map(one).collect()
}

/// Asks once for each client of the crowd, by a key that is none of theirs, while `meanwhile` happens.
async fn while_strangers_ask(replica: &Replica, meanwhile: impl Future<Output = ()>) {
    let stranger = key();
    let now = replica.grantd.clock().now().unix();
    let assertions: Vec<String> = (0..CROWD)
        .map(|number| {
            let id = format!("dead-{number}");
            let mut claims = claims(&id, &grantd::crypto::random::token_id());
            claims["iat"] = json!(now);
            claims["exp"] = json!(now + 60);
            stranger.sign(&claims)
        })
        .collect();
    let strangers = async {
        join_all(assertions.iter().map(|it| token(replica, it))).await;
        pending::<()>().await;
    };
    tokio::select! {
        () = strangers => {}
        () = meanwhile => {}
    }
}

async fn until(publisher: &Publisher, fetches: usize) {
    while publisher.fetches() < fetches {
        tokio::task::yield_now().await;
    }
}

/// How many sources fail, by what `/readyz` says.
fn failing(replica: &Replica) -> usize {
    let degraded = replica.grantd.degraded();
    let more = degraded.first().map_or("", |it| &it.message);
    let more = more.rsplit_once("and those of ").map_or("", |(_, it)| it);
    let more = more.trim_end_matches(" more").parse::<usize>();
    more.map_or(0, |it| it + 3)
}

async fn soon(what: &str, event: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(SOON, event).await;
    assert!(ended.is_ok(), "{what} waited for sources that hang");
}

async fn later(env: &Env, replica: &Replica, seconds: u32) {
    env.clock.advance(Seconds::new(seconds));
    replica.follow().await;
}

on_both! {
    /// FED-12: neither an issuer, nor the refresh of a set that is held, nor what asks anew waits for a crowd that hangs.
    async fn sources_that_hang_keep_nobody_else_waiting(env) {
        let (platform, held, fresh) = (Platform::ci().await, key(), key());
        let of_held = Publisher::start(Manner::keys(&[&held])).await;
        let of_fresh = Publisher::start(Manner::keys(&[&fresh])).await;
        let dead = Publisher::start(Manner::Hangs).await;
        env.apply(
            &(of_held.catalog()
                + &client("fresh", &of_fresh.lines(), &reads("pricing"))
                + &platform.lines("")
                + &workload("deploy", "ci", "subject = \"repo:**\"")
                + &crowd(&dead)),
        )
        .await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &held).await.status, 200);
        later(&env, &replica, 300).await;
        while_strangers_ask(&replica, async {
            until(&dead, NEW).await;
            soon("an issuer", async {
                let token = platform.token(&json!({}));
                assert_eq!(federation::asks(&replica, &token, "").await.status, 200);
            })
            .await;
            soon("a set that is due", async {
                replica.grantd.begin_key_fetches().await.detach_all();
                until(&of_held, 2).await;
            })
            .await;
            assert_eq!(dead.fetches(), NEW);
        })
        .await;
        // They failed, and those that did wait for each other alone.
        dead.now(Manner::HangsUp);
        while failing(&replica) < CROWD {
            tokio::task::yield_now().await;
        }
        dead.now(Manner::Hangs);
        later(&env, &replica, 10).await;
        while_strangers_ask(&replica, async {
            until(&dead, CROWD + FAILING).await;
            soon("a new client", async {
                let now = replica.grantd.clock().now().unix();
                let mut claims = claims("fresh", "first");
                claims["iat"] = json!(now);
                claims["exp"] = json!(now + 60);
                assert_eq!(token(&replica, &fresh.sign(&claims)).await.status, 200);
            })
            .await;
            assert_eq!(dead.fetches(), CROWD + FAILING);
        })
        .await;
        dead.now(Manner::HangsUp);
    }

    /// Where no request needs them: keys that were never had are asked for after an hour in the end, and those that are used
    /// each minute.
    async fn what_fails_and_nobody_needs_is_asked_less_and_less(env) {
        let (replica, publisher, good) = worker(&env).await;
        publisher.now(Manner::Head("500 Internal Server Error"));
        asks(&replica, &good).await.assert_error(503, "temporarily_unavailable");
        let minutes = refreshed_at(&env, &replica, &publisher, 4 * 60).await;
        assert_eq!(minutes, [1, 3, 7, 15, 31, 63, 123, 183]);
        // A request need not wait so long.
        publisher.now(Manner::keys(&[&good]));
        later(&env, &replica, 10).await;
        assert_eq!(asks(&replica, &good).await.status, 200);
        publisher.now(Manner::Head("500 Internal Server Error"));
        let minutes = refreshed_at(&env, &replica, &publisher, 9).await;
        assert_eq!(minutes, [5, 6, 7, 8, 9]);
    }

    /// An issuer is the operator's own choice.
    async fn an_issuer_that_fails_is_asked_each_minute(env) {
        let platform = Platform::ci().await;
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        env.apply(&(crate::harness::CATALOG.to_owned() + &platform.lines(""))).await;
        let replica = env.replica().await;
        federation::asks(&replica, &platform.token(&json!({})), "").await.assert_error(503, "temporarily_unavailable");
        let minutes = refreshed_at(&env, &replica, &platform.publisher, 5).await;
        assert_eq!(minutes, [1, 2, 3, 4, 5]);
    }

    /// The servers' own looks: a set that is due is fetched while another source hangs.
    async fn no_look_waits_for_the_slowest_of_the_last(env) {
        let (replica, publisher, good) = worker(&env).await;
        let dead = Publisher::start(Manner::Head("500 Internal Server Error")).await;
        env.apply(&client("dead-0", &dead.lines(), &reads("pricing"))).await;
        replica.follow().await;
        assert_eq!(asks(&replica, &good).await.status, 200);
        let stranger = key();
        token(&replica, &stranger.sign(&claims("dead-0", "1"))).await.assert_error(503, "temporarily_unavailable");
        dead.now(Manner::Hangs);
        later(&env, &replica, 300).await;
        let _running = replica.grantd.background().start();
        until(&publisher, 2).await;
        until(&dead, 2).await;
        soon("a set that is due", async {
            env.clock.advance(Seconds::new(300));
            until(&publisher, 3).await;
        })
        .await;
        dead.now(Manner::HangsUp);
    }
}

/// The minutes after which `publisher` was asked although no request needed its keys.
async fn refreshed_at(
    env: &Env,
    replica: &Replica,
    publisher: &Publisher,
    minutes: u32,
) -> Vec<u32> {
    let mut at = Vec::new();
    for minute in 1..=minutes {
        later(env, replica, 60).await;
        let before = publisher.fetches();
        replica.grantd.refresh_key_sources().await;
        if publisher.fetches() > before {
            at.push(minute);
        }
    }
    at
}
