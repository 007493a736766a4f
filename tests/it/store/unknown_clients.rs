//! A flood of client ids that do not exist: memory stays bounded, and nobody else is forgotten. The hundred thousand
//! stand beside the directory, where they need no database.

use std::sync::Arc;

use grantd::domain::identifier::ClientId;
use grantd::store::memory::directory::Capacity;

use super::env::Sql;
use crate::harness::*;

const CAPACITY: u64 = 1000;

fn stranger(n: u64) -> ClientId {
    ClientId::parse(&format!("stranger {n}")).unwrap()
}

async fn flood(env: Env, ids: u64) {
    env.apply(CATALOG).await;
    let capacity = Capacity { unknown_clients: CAPACITY, clients: 2, ..Capacity::default() };
    let replica = Arc::new(env.replica_with(|options| options.capacity = capacity).await);
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
    let tasks: Vec<_> = (0..4)
        .map(|lane| {
            let replica = Arc::clone(&replica);
            tokio::spawn(async move {
                for n in (lane..ids).step_by(4) {
                    let known = replica.grantd.directory().client(&stranger(n)).await.unwrap();
                    assert!(known.is_none());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let remembered = replica.grantd.directory().unknown_clients();
    assert!((1..=CAPACITY).contains(&remembered), "{remembered}");

    // From here on SQL fails.
    Sql::of(&env.database).await.run("ALTER TABLE clients RENAME TO gone").await;
    for n in ids - 100..ids {
        assert!(replica.grantd.directory().client(&stranger(n)).await.unwrap().is_none());
    }
    assert!(replica.grantd.directory().client(&stranger(ids)).await.is_err());
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_unknown_ids_evict_no_client_on_sqlite() {
    flood(Env::new(Database::sqlite()).await, 5000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_unknown_ids_evict_no_client_on_postgres() {
    flood(Env::new(Database::postgres().await).await, 2000).await;
}
