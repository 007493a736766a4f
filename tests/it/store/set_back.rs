//! The database is set back to an older backup while a replica runs: the replica forgets everything.

use super::env::Sql;
use crate::catalogs::{by_secret, reads};
use crate::harness::*;

/// All tables that a replica remembers anything of, those that others refer to first.
const TABLES: [&str; 8] = [
    "clients",
    "credentials",
    "audiences",
    "policies",
    "signing_keys",
    "revoked_tokens",
    "changes",
    "feed_head",
];

async fn back_up(sql: &Sql) {
    for table in TABLES {
        sql.run(&format!(
            "CREATE TABLE backup_of_{table} AS SELECT * FROM {table}"
        ))
        .await;
    }
}

async fn set_back(sql: &Sql) {
    for table in TABLES.iter().rev() {
        sql.run(&format!("DELETE FROM {table}")).await;
    }
    for table in TABLES {
        sql.run(&format!(
            "INSERT INTO {table} SELECT * FROM backup_of_{table}"
        ))
        .await;
    }
}

/// A replica that remembers of the time after the backup: a client more, one unknown, one revoked token.
async fn replica_of_later(env: &Env) -> (Replica, String) {
    let later = by_secret("later", "later than the backup", &reads("pricing"));
    env.apply(&format!("{CATALOG}{later}")).await;
    let replica = env.replica().await;
    let later = replica
        .token("later", "later than the backup", "&scope=read")
        .await;
    assert_eq!(later.status, 200, "{later:?}");
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        false
    );
    replica.follow().await;
    (replica, token)
}

on_both! {
    async fn a_replica_that_was_ahead_forgets_everything(env) {
        env.apply(CATALOG).await;
        let sql = Sql::of(&env.database).await;
        back_up(&sql).await;
        let (replica, token) = replica_of_later(&env).await;
        set_back(&sql).await;
        replica.follow().await;
        let later = replica.token("later", "later than the backup", "&scope=read").await;
        later.assert_error(401, "invalid_client");
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }

    /// The numbers are the same as before, but they are of another past.
    async fn another_past_with_the_same_numbers_is_noticed(env) {
        env.apply(CATALOG).await;
        let sql = Sql::of(&env.database).await;
        back_up(&sql).await;
        let (replica, _) = replica_of_later(&env).await;
        let before = env.store.feed_position().await.unwrap();
        set_back(&sql).await;
        for name in 0.. {
            if env.store.feed_position().await.unwrap().n == before.n {
                break;
            }
            let renamed = format!("id = \"api\"\nname = \"{name}\"");
            env.apply(&CATALOG.replace("id = \"api\"", &renamed)).await;
        }
        replica.follow().await;
        let later = replica.token("later", "later than the backup", "&scope=read").await;
        later.assert_error(401, "invalid_client");
    }

    /// Keys made after the backup are gone with it: what they signed is nothing any more.
    async fn keys_of_the_lost_time_are_forgotten(env) {
        let sql = Sql::of(&env.database).await;
        back_up(&sql).await;
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_eq!(replica.get("/oauth2/jwks").await.json()["keys"].as_array().unwrap().len(), 1);
        set_back(&sql).await;
        replica.follow().await;
        assert_eq!(replica.get("/oauth2/jwks").await.json()["keys"].as_array().unwrap().len(), 0);
        replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
    }
}
