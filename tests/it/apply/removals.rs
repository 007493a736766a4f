//! `--prune` with a catalog that would empty the database.

use super::*;
use crate::catalogs::{audience, client};

/// So many clients and as many audiences.
fn catalog(number: usize) -> String {
    let one = |it| {
        let api = audience(&format!("api-{it}"), "a", "");
        api + &client(&format!("client {it}"), "auth = \"private_key_jwt\"", &[])
    };
    (0..number).map(one).collect()
}

on_both! {
    async fn prune_removes_many_only_where_their_number_is_named(env) {
        env.apply(&catalog(4)).await;
        let applied = env.exported().await;
        let prune = ApplyOptions { prune: true, ..env.options() };
        for (rest, allow_removals) in [(0, 0), (0, 3), (1, 0), (1, 2)] {
            let options = ApplyOptions { allow_removals, ..prune };
            let refused = env.apply_with(&catalog(rest), options).await.unwrap_err();
            let gone = 4 - rest;
            let told = format!("remove {gone} of 4 clients and {gone} of 4 audiences");
            assert!(refused.contains(&told), "{refused}");
            assert!(refused.ends_with(&format!("add --allow-removals {gone}")), "{refused}");
            assert_eq!(env.exported().await, applied, "nothing of it was applied");
        }
        let options = ApplyOptions { dry_run: true, ..prune };
        let told = env.apply_with(&catalog(1), options).await.unwrap();
        assert_eq!(told.count(Action::Removed), 6, "{told:?}");
        assert!(told.refusal.is_some(), "{told:?}");
        let options = ApplyOptions { allow_removals: 3, ..options };
        assert!(env.apply_with(&catalog(1), options).await.unwrap().refusal.is_none());

        // Two of each may always go, and any number with leave.
        assert_eq!(env.apply_with(&catalog(2), prune).await.unwrap().count(Action::Removed), 4);
        env.apply(&catalog(4)).await;
        let options = ApplyOptions { allow_removals: 4, ..prune };
        assert_eq!(env.apply_with("", options).await.unwrap().count(Action::Removed), 8);
        assert_eq!(env.exported().await, "");
    }

    async fn a_tenth_may_go_unasked(env) {
        env.apply(&catalog(30)).await;
        let prune = ApplyOptions { prune: true, ..env.options() };
        let refused = env.apply_with(&catalog(26), prune).await.unwrap_err();
        assert!(refused.contains("remove 4 of 30 clients"), "{refused}");
        assert_eq!(env.apply_with(&catalog(27), prune).await.unwrap().count(Action::Removed), 6);
    }
}
