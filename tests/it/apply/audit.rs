//! What the audit log keeps of an `apply`.

use serde_json::{Value, json};

use crate::catalogs::{audience, policy};
use crate::harness::*;
use crate::raw_sql;

/// The events of the administrators so far, each as `action target details`, the counts first.
async fn events(env: &Env) -> Vec<(String, Value)> {
    let sql = "SELECT action || ' ' || target || '|' || details FROM audit_events ORDER BY at, id";
    let mut all = Vec::new();
    for text in raw_sql::texts(&env.database, sql).await {
        let (what, details) = text.split_once('|').unwrap();
        all.push((what.to_owned(), serde_json::from_str(details).unwrap()));
    }
    all
}

async fn forget(env: &Env) {
    raw_sql::execute(&env.database, "DELETE FROM audit_events").await;
}

on_both! {
    async fn each_thing_that_is_changed_has_an_event_with_before_and_after(env) {
        env.apply(CATALOG).await;
        let created = events(&env).await;
        let (count, each) = created.split_first().unwrap();
        assert_eq!(count.0, "catalog_applied ");
        assert_eq!(count.1["created"], each.len());
        let of = |what: &str| each.iter().filter(|(it, _)| it == what).collect::<Vec<_>>();
        assert_eq!(of("audience_created pricing")[0].1["after"]["id"], "pricing");
        assert_eq!(of("client_created reader")[0].1["before"], Value::Null);
        assert_eq!(of("policy_created reader")[0].1["audience"], "pricing");
        let credential = env.credentials("reader").await[0].id.to_string();
        assert_eq!(of("credential_created reader")[0].1["credential"], *credential);
        assert!(each.iter().any(|(what, _)| what.starts_with("signing_key_created ")));
        let text = format!("{created:?}");
        for secret in [READER, API, "$argon2"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }

        forget(&env).await;
        let changed = CATALOG.replace("id = \"reader\"", "id = \"reader\"\nowner = \"billing\"");
        env.apply(&changed).await;
        let told = events(&env).await;
        let [(_, count), (what, details)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (&count["created"], &count["changed"], &count["removed"]),
            (&json!(0), &json!(1), &json!(0))
        );
        assert_eq!(what, "client_changed reader");
        assert_eq!((&details["before"], &details["after"]), (&json!({ "owner": null }), &json!({ "owner": "billing" })));
        forget(&env).await;
        env.apply(&changed).await;
        assert!(events(&env).await.is_empty());
    }

    /// A policy goes with its audience, and has an event of its own.
    async fn what_is_pruned_is_kept_as_it_was(env) {
        let (more, policy) = (audience("other", "a", ""), policy("other", "a", ""));
        let with_policy = CATALOG.replacen("  [[client.policy]]\n", &format!("{policy}  [[client.policy]]\n"), 1);
        assert_ne!(with_policy, CATALOG);
        env.apply(&format!("{with_policy}{more}")).await;
        forget(&env).await;
        env.prune(CATALOG).await;
        let told = events(&env).await;
        let removed: Vec<&str> = told.iter().skip(1).map(|(what, _)| what.as_str()).collect();
        assert_eq!(removed, ["audience_removed other", "policy_removed reader"]);
        assert_eq!(told[0].1["removed"], 2);
        assert_eq!(told[1].1["before"]["id"], "other");
        assert_eq!(told[2].1["before"]["scopes"], json!(["a"]));
        assert_eq!(told[2].1["after"], Value::Null);
    }

    async fn more_things_than_one_statement_takes_each_have_an_event(env) {
        let many: Vec<String> = (0..1200).map(|number| audience(&format!("a{number}"), "a", "")).collect();
        env.apply(&many.concat()).await;
        let told = events(&env).await;
        let audiences = told.iter().filter(|(what, _)| what.starts_with("audience_created a"));
        assert_eq!(audiences.count(), 1200);
    }
}
