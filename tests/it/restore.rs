//! Puts everything back to what it was: rows, marks of killed tokens, spent ids, keys; and what comes next is right at
//! once.

use grantd::domain::identifier::ClientId;
use grantd::domain::signing_key::lineup::TakeOver;
use grantd::domain::signing_key::periods::KeyPeriods;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::change_client::disable_client;
use grantd::operations::replay_cache::{Spending, Spent};
use grantd::operations::restore::{OfKeys, Stock};
use grantd::operations::rotate_keys::KeyRotation;
use serde_json::json;

use crate::catalogs::{audience, by_secret, policy, reads};
use crate::harness::*;

/// `reader` may have other scopes and another secret, `api` is gone, and there is more of everything.
fn another_catalog() -> String {
    let reader = [
        policy("pricing", "read", "read"),
        policy("more", "read", "read"),
    ];
    [
        audience("pricing", "read", "algorithm = \"EdDSA\""),
        audience("more", "read", ""),
        by_secret("reader", "another secret of 1", &reader),
        by_secret("new", "the secret of new", &reads("more")),
    ]
    .concat()
}

async fn spend(replica: &Replica, jti: &str, made_at: Timestamp) -> Spent {
    let spending = Spending {
        kind: "assertion",
        scope: &[b"reader"],
        jti,
        made_at,
        dead_at: made_at.plus(Seconds::new(300)),
    };
    replica.grantd.replay_cache().spend(spending).await.unwrap()
}

async fn held(env: &Env) -> impl PartialEq + std::fmt::Debug {
    env.store.load_catalog().await.unwrap().value
}

async fn kids(replica: &Replica) -> Vec<String> {
    let jwks = replica.get("/oauth2/jwks").await.json();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn rotate(env: &Env) {
    let rotation = KeyRotation {
        store: &env.store,
        sealing: &env.sealing,
        periods: periods(env),
        by: &env.actor,
    };
    rotation.rotate(None, TakeOver::Now).await.unwrap();
}

fn periods(env: &Env) -> KeyPeriods {
    env.settings().key_periods()
}

/// Every way of changing what the catalog states, and of killing a token.
async fn change_everything(env: &Env, replica: &Replica, token: &str) {
    assert_eq!(replica.revoke("reader", READER, token).await.status, 200);
    let reader = ClientId::parse("reader").unwrap();
    let options = env.options();
    disable_client(&env.store, &reader, options).await.unwrap();
    env.prune(&another_catalog()).await;
    replica.follow().await;
}

on_both! {
    async fn what_was_changed_is_as_it_was_and_the_next_token_comes_at_once(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let (stock, before) = (Stock::take(&env.store).await.unwrap().unwrap(), held(&env).await);
        let start = env.clock.now();
        let made_at = start.minus(Seconds::new(1));
        for (keys, jti) in [(OfKeys::Stay, "1"), (OfKeys::GoBack, "2"), (OfKeys::Stay, "3")] {
            change_everything(&env, &replica, &token).await;
            assert_eq!(spend(&replica, jti, made_at).await, Spent::First);
            assert_eq!(spend(&replica, jti, made_at).await, Spent::Replay);
            replica.token("reader", READER, "").await.assert_error(401, "invalid_client");

            replica.grantd.restore(&stock, keys, &env.actor).await.unwrap();

            assert_eq!(held(&env).await, before);
            replica.issued("reader", READER, "").await;
            assert_eq!(env.clock.now(), start, "a client whose tokens were killed waits for a second to pass");
            let told = replica.introspect("api", API, &token).await.json();
            assert_eq!(told["active"], json!(true), "neither the revocation nor a mark is left");
            replica.follow().await;
            assert_eq!(spend(&replica, jti, made_at).await, Spent::First, "no loss of the database's past is seen in it");
            assert_eq!(spend(&replica, jti, made_at).await, Spent::Replay);
            replica.token("new", "the secret of new", "").await.assert_error(401, "invalid_client");
        }
        assert_eq!(replica.audit_events("reset").await, 3);
    }

    async fn keys_go_back_where_they_shall_and_stay_else(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.grantd.rotate_keys().await.unwrap();
        replica.follow().await;
        let before = kids(&replica).await;
        let stock = Stock::take(&env.store).await.unwrap().unwrap();
        rotate(&env).await;
        replica.follow().await;
        let rotated = kids(&replica).await;
        assert_ne!(rotated, before);
        replica.grantd.restore(&stock, OfKeys::Stay, &env.actor).await.unwrap();
        assert_eq!(kids(&replica).await, rotated);
        replica.grantd.restore(&stock, OfKeys::GoBack, &env.actor).await.unwrap();
        assert_eq!(kids(&replica).await, before);
        replica.issued("reader", READER, "").await;
    }

    /// The feed keeps its rows for an hour: whoever goes back later compares everything.
    async fn what_was_changed_long_ago_goes_back_too(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let (stock, before) = (Stock::take(&env.store).await.unwrap().unwrap(), held(&env).await);
        env.prune(&another_catalog()).await;
        env.clock.advance(Seconds::new(3 * 3600));
        replica.follow().await;
        replica.grantd.sweep().await;
        env.apply(CATALOG).await;
        env.clock.advance(Seconds::new(3 * 3600));
        replica.follow().await;
        replica.grantd.sweep().await;
        replica.grantd.restore(&stock, OfKeys::Stay, &env.actor).await.unwrap();
        assert_eq!(held(&env).await, before);
        replica.issued("reader", READER, "").await;
    }

    /// An audience may have been all that used an algorithm; its keys may be gone by then.
    async fn an_audience_whose_keys_are_gone_gets_one(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let stock = Stock::take(&env.store).await.unwrap().unwrap();
        env.prune(&another_catalog().replace("audience]]\nid = \"more\"", "audience]]\nalgorithm = \"EdDSA\"\nid = \"more\"")).await;
        for _ in 0..3 {
            env.clock.advance(Seconds::new(40 * 24 * 3600));
            replica.follow().await;
            replica.grantd.rotate_keys().await.unwrap();
            replica.grantd.sweep().await;
        }
        replica.follow().await;
        assert!(!replica.get("/oauth2/jwks").await.json().to_string().contains("ES256"));
        replica.grantd.restore(&stock, OfKeys::Stay, &env.actor).await.unwrap();
        replica.issued("reader", READER, "").await;
    }
}
