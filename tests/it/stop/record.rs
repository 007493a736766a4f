//! What the audit log keeps of an administrative change: who, from where, and why.

use grantd::operations::actor::Actor;
use grantd::operations::apply_catalog::ApplyOptions;
use grantd::operations::change_client::{
    delete_client, disable_client, enable_client, revoke_tokens_of_client,
};
use serde_json::Value;

use super::reader;
use crate::harness::*;
use crate::raw_sql::texts;

async fn events(env: &Env, column: &str) -> Vec<String> {
    let sql = format!(
        "SELECT {column} FROM audit_events WHERE target = 'reader' \
         AND action LIKE 'client_%' AND action <> 'client_created' ORDER BY action"
    );
    texts(&env.database, &sql).await
}

on_both! {
    async fn the_event_names_who_did_it_and_why_and_what_the_database_knows(env) {
        env.apply(CATALOG).await;
        let actor = Actor {
            reason: Some("found in a log".to_owned()),
            ..Actor::named("command:ada@ops-1")
        };
        let options = ApplyOptions { by: &actor, ..env.options() };
        disable_client(&env.store, &reader(), options).await.unwrap();
        enable_client(&env.store, &reader(), env.options()).await.unwrap();
        assert_eq!(events(&env, "action").await, ["client_disabled", "client_enabled"]);
        assert_eq!(events(&env, "actor").await, ["command:ada@ops-1", "test"]);
        let details: Vec<Value> = events(&env, "details")
            .await
            .iter()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        assert_eq!(details[0]["before"]["status"], "active");
        assert_eq!(details[0]["after"]["status"], "disabled");
        assert_eq!(details[0]["reason"], "found in a log");
        assert_eq!(details[1]["reason"], Value::Null);
        for it in details {
            let session = (&it["session_user"], &it["client_address"]);
            if env.database.is_postgres() {
                let (user, address) = (session.0.as_str().unwrap(), session.1.as_str().unwrap());
                assert!(!user.is_empty() && !address.is_empty(), "{it}");
            } else {
                assert_eq!(session, (&Value::Null, &Value::Null));
            }
        }
    }

    /// Whether it changes what a catalog could state, or only what is dead.
    async fn each_verb_leaves_one_event(env) {
        env.apply(CATALOG).await;
        disable_client(&env.store, &reader(), env.options()).await.unwrap();
        enable_client(&env.store, &reader(), env.options()).await.unwrap();
        revoke_tokens_of_client(&env.store, &reader(), env.options()).await.unwrap();
        delete_client(&env.store, &reader(), env.options()).await.unwrap();
        let actions = ["client_deleted", "client_disabled", "client_enabled", "client_tokens_revoked"];
        assert_eq!(events(&env, "action").await, actions);
    }

    /// Doing nothing is no event.
    async fn what_was_so_already_is_no_event(env) {
        env.apply(CATALOG).await;
        enable_client(&env.store, &reader(), env.options()).await.unwrap();
        assert_eq!(events(&env, "action").await, [""; 0]);
    }
}
