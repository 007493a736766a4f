//! Exporting a catalog: what is printed, applied again, gives the same database.

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::operations::apply_catalog::{ApplyOptions, apply_catalog};

use crate::apply::rich_catalog;
use crate::harness::*;

/// A catalog as `apply` reads it: without secrets in clear.
fn parsed_strictly(catalog: &str) -> Catalog {
    let none = |_: &str| None;
    Catalog::parse("export.toml", catalog, &CatalogOptions::strict(&none))
        .unwrap_or_else(|error| panic!("{error}\n{catalog}"))
}

on_both! {
    async fn an_export_applied_to_its_own_database_changes_nothing(env) {
        let (catalog, _) = rich_catalog();
        env.apply(&catalog).await;
        let export = env.exported().await;
        for prune in [false, true] {
            let options = ApplyOptions { prune, ..env.options() };
            let (plan, _) =
                apply_catalog(&env.store, &parsed_strictly(&export), options)
                    .await
                    .unwrap();
            assert_eq!(plan.changes(), 0, "{plan:?}\n{export}");
            assert!(plan.warnings.is_empty(), "{plan:?}");
        }
        assert_eq!(env.exported().await, export);
    }

    /// Every secret goes along as its hash, and no secret in clear does.
    async fn an_export_applied_to_a_new_database_keeps_every_secret_working(env) {
        let (catalog, secrets) = rich_catalog();
        env.apply(&catalog).await;
        let export = env.exported().await;
        for (_, secret) in &secrets {
            assert!(!export.contains(secret.as_str()), "{export}");
        }
        assert!(!export.contains("sleeper's secret"));
        let database = if env.database.is_postgres() {
            Database::postgres().await
        } else {
            Database::sqlite()
        };
        let new = Env::new(database).await;
        let options = new.options();
        apply_catalog(&new.store, &parsed_strictly(&export), options).await.unwrap();
        assert_eq!(without_ids(&new.exported().await), without_ids(&export));
        let replica = new.replica().await;
        let mut token = String::new();
        for (client, secret) in &secrets[..3] {
            token = replica.issued(client, secret, "").await;
        }
        let (claims, (api, secret)) = (decoded(&token).1, &secrets[3]);
        assert_eq!((&claims["region"], &claims["level"]), (&"us".into(), &3.into()));
        assert_eq!(claims["roles"], serde_json::json!(["reader", "writer"]));
        assert_eq!(claims["exp"], START + 120);
        let told = replica.introspect(api, secret, &token).await;
        assert_eq!(told.json()["active"], true);
        let sleeper = replica.token("sleeper", "the sleeper's secret", "").await;
        sleeper.assert_error(401, "invalid_client");
    }
}

/// An export without the ids of imported secrets' hashes, whose form changes on the way.
fn without_ids(export: &str) -> Vec<&str> {
    export
        .lines()
        .filter(|line| !line.starts_with("secrets"))
        .collect()
}
