//! The table of docs/production.md on a database that is gone: each of its requests is sent before and after
//! `max_staleness`.

use std::fs;

use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::timestamp::Seconds;

use super::outage::{behind, until_back, upstream};
use crate::assertion::signer::{self, Key, claims};
use crate::catalogs::{by_secret, reads};
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::dpop::Prover;
use crate::harness::*;
use crate::source_tree::root;

/// The requests of the table's rows, in their order, by the words that begin them.
const ROWS: [&str; 6] = [
    "a token, by a secret or a certificate, from a client that asked",
    "a token, from a client that this replica does not remember",
    "a token, by a client assertion or with a DPoP proof",
    "introspection, by an API and of a client that this replica remembers",
    "a revocation",
    "JWKS and metadata",
];

/// The statuses of the table's rows, before and after.
fn promised() -> [Vec<u16>; 2] {
    let page = fs::read_to_string(root().join("docs/production.md")).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| request | until"));
    let rows: Vec<Vec<&str>> = rows
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let named = rows.iter().zip(ROWS);
    assert!(
        rows.len() == ROWS.len() && named.clone().all(|(row, name)| row[0].starts_with(name)),
        "{rows:?}"
    );
    [1, 2].map(|column| {
        rows.iter()
            .map(|row| row[column].parse().unwrap())
            .collect()
    })
}

/// What the rows are answered; each request is sent in each of the forms that its row names.
async fn answered(replica: &Replica, key: &Key, token: &str) -> Vec<u16> {
    let assertion = key.sign(&claims("worker", &random::token_id()));
    let by_key = signer::token(replica, &assertion).await.status;
    let with_proof = replica.prove(&[&Prover::new().right()], "").await.status;
    assert_eq!(by_key, with_proof);
    let jwks = replica.get("/oauth2/jwks").await.status;
    let metadata = replica
        .get("/.well-known/oauth-authorization-server")
        .await
        .status;
    assert_eq!(jwks, metadata);
    let statuses = [
        replica.token("reader", READER, "").await.status,
        replica.token("late", "a secret of late", "").await.status,
        by_key,
        replica.introspect("api", API, token).await.status,
        replica.revoke("reader", READER, token).await.status,
        jwks,
    ];
    statuses.map(|it| it.as_u16()).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_an_outage_says_what_is_answered() {
    let env = Env::new(Database::postgres().await).await;
    let key = Key::new(SigningAlgorithm::Es256);
    let late = by_secret("late", "a secret of late", &reads("pricing"));
    env.apply(&(signer::catalog(&[&key], "") + &late)).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let replica = env.replica_over(behind(&env, &proxy), |_| {});
    until_back(&replica).await;
    replica.follow().await;
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(replica.introspect("api", API, &token).await.status, 200);
    let assertion = key.sign(&claims("worker", &random::token_id()));
    assert_eq!(signer::token(&replica, &assertion).await.status, 200);

    let [until, then] = promised();
    proxy.set(Mode::Cut);
    replica.grantd.follow_feed().await.unwrap_err();
    assert_eq!(answered(&replica, &key, &token).await, until);
    env.clock.advance(Seconds::new(31));
    assert_eq!(answered(&replica, &key, &token).await, then);
    proxy.set(Mode::Pass);
    until_back(&replica).await;
    let back = answered(&replica, &key, &token).await;
    assert_eq!(back, vec![200; ROWS.len()]);
}
