//! A policy that is denied: what was issued by it is dead, and nothing revives it.

use grantd::domain::timestamp::Seconds;
use grantd::operations::change_audience::delete_audience;
use grantd::operations::change_client::revoke_tokens_of_client;

use super::{pricing, reader};
use crate::catalogs::{audience, reads};
use crate::harness::*;
use crate::raw_sql::{execute, texts};

/// [`CATALOG`] with a second audience that `reader` may use.
fn with_billing() -> String {
    let [billing] = reads("billing");
    let audience = audience("billing", "read", "served_by = [\"api\"]");
    let (before, after) = CATALOG.split_once("[[client.policy]]").unwrap();
    format!("{audience}{before}{billing}[[client.policy]]{after}")
}

/// [`CATALOG`] without the policy of `reader`.
fn without_policy() -> String {
    let (before, rest) = CATALOG.split_once("[[client.policy]]").unwrap();
    let (_, after) = rest.split_once("[[client]]").unwrap();
    format!("{before}[[client]]{after}")
}

async fn marks(env: &Env) -> usize {
    texts(&env.database, "SELECT audience FROM policy_marks")
        .await
        .len()
}

on_both! {
    /// B-C10: at the token endpoint and at introspection, on two replicas.
    async fn a_denied_policy_gives_nothing_and_its_tokens_are_dead_and_no_others(env) {
        env.apply(&with_billing()).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "&audience=pricing").await;
        let other = here.issued("reader", READER, "&audience=billing").await;
        assert_eq!(env.deny("").await, None);
        for replica in [here, there] {
            replica.follow().await;
            assert!(!replica.is_active(&token).await);
            assert!(replica.is_active(&other).await, "another policy is untouched");
            replica.token("reader", READER, "&audience=pricing").await.assert_error(400, "invalid_target");
            replica.issued("reader", READER, "&audience=billing").await;
        }
    }

    async fn allowing_again_revives_none(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        env.deny("").await;
        for wait in [0, 20] {
            env.clock.advance(Seconds::new(wait));
            env.allow("read").await;
            for replica in [&here, &there] {
                replica.follow().await;
                let new = replica.issued("reader", READER, "").await;
                assert!(replica.is_active(&new).await, "a new one lives at once");
                assert!(!replica.is_active(&token).await);
            }
            env.deny("").await;
        }
    }

    /// However it goes and comes back: by a command, by a catalog that prunes it, disables it, or states it anew.
    async fn no_way_back_revives_what_was_issued_before(env) {
        let disabled = CATALOG.replace("audience = \"pricing\"", "audience = \"pricing\"\n  enabled = false");
        let elsewhere = CATALOG.replace("\"pricing\"", "\"billing\"");
        for way in 0..5 {
            env.apply(CATALOG).await;
            let replica = env.replica().await;
            let token = replica.issued("reader", READER, "&audience=pricing").await;
            match way {
                0 => _ = env.deny("").await,
                1 => _ = env.prune(&without_policy()).await,
                2 => _ = env.apply(&disabled).await,
                3 => _ = env.prune(&elsewhere).await,
                _ => _ = delete_audience(&env.store, &pricing(), env.options()).await.unwrap(),
            }
            replica.follow().await;
            assert!(!replica.is_active(&token).await, "{way}");
            env.clock.advance(Seconds::new(5));
            replica.grantd.sweep().await;
            env.apply(CATALOG).await;
            replica.follow().await;
            assert!(!replica.is_active(&token).await, "{way}");
            let new = replica.issued("reader", READER, "&audience=pricing").await;
            assert!(replica.is_active(&new).await, "{way}");
            // The mark of one way stands in for that of none other.
            execute(&env.database, "DELETE FROM policy_marks").await;
            env.clock.advance(Seconds::new(5));
        }
    }

    /// What is issued until every replica has heard of it dies too, and while it is denied even what came later.
    async fn what_a_replica_issues_before_it_hears_of_it_dies_too(env) {
        env.apply(CATALOG).await;
        let (here, late) = (env.replica().await, env.replica().await);
        late.issued("reader", READER, "").await;
        env.deny("").await;
        here.follow().await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(late.issued("reader", READER, "").await);
            env.clock.advance(Seconds::new(1));
        }
        for token in &tokens {
            assert!(!here.is_active(token).await);
        }
        env.allow("read").await;
        for replica in [&here, &late] {
            replica.follow().await;
            for token in &tokens {
                assert!(!replica.is_active(token).await);
            }
        }
    }

    async fn a_scope_that_is_denied_is_not_granted_and_its_tokens_are_dead(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "&scope=read+write").await;
        let left = env.deny("write").await.unwrap();
        assert_eq!(left.scopes.to_string(), "read");
        replica.follow().await;
        assert!(!replica.is_active(&token).await);
        replica.token("reader", READER, "&scope=write").await.assert_error(400, "invalid_scope");
        let new = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&new).await);
        assert_eq!(decoded(&new).1["scope"], "read");
    }

    /// The row goes when nothing that it kills can live, and not before.
    async fn a_mark_is_remembered_until_the_last_token_has_expired(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.deny("").await;
        for (hours, left) in [(0, 1), (24, 1), (2, 0)] {
            env.clock.advance(Seconds::new(hours * 3600));
            replica.grantd.sweep().await;
            assert_eq!(marks(&env).await, left, "{hours}");
        }
    }

    /// A new policy makes nobody wait, and leaves no row.
    async fn a_policy_that_was_never_denied_has_no_mark(env) {
        env.apply(CATALOG).await;
        env.apply(&with_billing()).await;
        let changed = CATALOG.replace("default_scopes = [\"read\"]", "token_lifetime = \"1m\"\n  default_scopes = [\"read\"]");
        env.apply(&changed).await;
        assert_eq!(marks(&env).await, 0);
    }

    async fn all_tokens_of_a_client_are_killed_and_it_gets_new_ones(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        revoke_tokens_of_client(&env.store, &reader(), env.options()).await.unwrap();
        for replica in [&here, &there] {
            replica.follow().await;
            assert!(!replica.is_active(&token).await);
            let new = replica.issued("reader", READER, "").await;
            assert!(replica.is_active(&new).await);
        }
        assert_eq!(env.apply(CATALOG).await.changes(), 0);
    }
}
