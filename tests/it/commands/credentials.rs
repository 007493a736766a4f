//! `grantd credential list` over all clients.

use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::store::credentials::Listed;
use serde_json::Value;

use crate::harness::*;
use crate::site::Site;

/// The clients of a listing.
fn clients(listed: &Value) -> Vec<&str> {
    let rows = listed.as_array().unwrap().iter();
    rows.map(|row| row["client"].as_str().unwrap()).collect()
}

async fn found(env: &Env, listed: Listed) -> Vec<String> {
    let found = env.store.list_credentials(listed, None).await.unwrap();
    found.iter().map(|(client, _)| client.to_string()).collect()
}

on_both! {
    async fn what_expires_rests_or_was_never_rotated_is_found_over_all_clients(env) {
        let site = Site::new(env).await;
        assert_eq!(clients(&site.json("credential list")), ["api", "reader"]);
        assert_eq!(clients(&site.json("credential list --never-rotated")), ["api", "reader"]);
        let secret = site.done("credential add-secret reader --expires-in 20d").stdout;
        assert_eq!(clients(&site.json("credential list --never-rotated")), ["api"]);
        let expiring = site.json("credential list --expiring 30d");
        assert_eq!(expiring[0]["id"], secret[7..17]);
        assert_eq!(clients(&expiring), ["reader"]);
        assert_eq!(clients(&site.json("credential list --expiring 10d")), [""; 0]);
        let id = &secret[7..17];
        site.done(&format!("credential retire {id}"));
        assert_eq!(clients(&site.json("credential list --expiring 30d")), [""; 0], "it is no longer live");
        assert_eq!(clients(&site.json("credential list --never-rotated")), ["api"], "it was rotated all the same");
        let table = site.done("credential list --never-rotated").stdout;
        assert!(table.contains("CLIENT") && table.contains("api") && !table.contains("reader"), "{table}");
        assert_eq!(site.json("credential list reader").as_array().unwrap().len(), 2);
        assert_eq!(site.json("credential list reader --never-rotated").as_array().unwrap().len(), 0);
        let both = site.refused("credential list --never-rotated --unused 90d", 2);
        assert!(both.contains("cannot be used with"), "{both}");
    }

    async fn a_credential_is_unused_when_it_was_there_and_nobody_used_it(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let made = env.clock.now();
        let unused = |since: Timestamp| Listed::UnusedSince { now: env.clock.now(), since };
        assert_eq!(found(&env, unused(made)).await, ["api", "reader"]);
        assert_eq!(found(&env, unused(made.minus(Seconds::new(1)))).await, [""; 0], "they were not there");
        env.clock.advance(Seconds::new(100));
        replica.follow().await;
        replica.issued("reader", READER, "").await;
        replica.grantd.write_waiting().await;
        assert_eq!(found(&env, unused(made)).await, ["api"]);
        assert_eq!(found(&env, unused(env.clock.now())).await, ["api", "reader"]);
    }
}
