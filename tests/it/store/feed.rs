//! The change feed: what one replica changes, the others forget; and what makes a reader forget everything.

use std::time::Duration;

use grantd::crypto::random;
use grantd::domain::credential::SecretForm;
use grantd::domain::identifier::ClientId;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::store::DatabaseOptions;
use grantd::store::feed::{FeedNews, FeedPosition};
use grantd::store::revoked_tokens::RevokedToken;

use super::env::{Sql, eventually, impatient};
use crate::catalogs::{by_secret, reads};
use crate::harness::*;

/// A foreign hash of `READER`, as another server would have made it.
fn foreign_hash() -> String {
    use argon2::password_hash::PasswordHasher as _;
    argon2::Argon2::default()
        .hash_password(READER.as_bytes())
        .unwrap()
        .to_string()
}

/// Revokes `count` tokens in one transaction.
async fn revoke_many(env: &Env, count: usize) {
    let expires_at = Timestamp::from_unix(START + 60);
    let tokens: Vec<_> = (0..count)
        .map(|_| RevokedToken {
            jti: random::token_id(),
            expires_at,
        })
        .collect();
    let mut change = env.store.begin_change(random::token_id()).await.unwrap();
    change.revoke_tokens(&tokens).await.unwrap();
    change.commit().await.unwrap();
}

async fn news(env: &Env, last: &FeedPosition) -> FeedNews {
    env.store
        .read_feed(last, None, &env.clock)
        .await
        .unwrap()
        .news
}

on_both! {
    async fn a_change_of_another_process_holds_once_the_feed_is_read(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_eq!(replica.token("reader", READER, "&scope=write").await.status, 200);
        replica.token("newcomer", READER, "").await.assert_error(401, "invalid_client");

        let less = CATALOG.replace("[\"read\", \"write\"]\n  default", "[\"read\"]\n  default");
        let newcomer = by_secret("newcomer", READER, &reads("pricing"));
        env.apply(&format!("{less}{newcomer}")).await;
        replica.follow().await;
        replica.token("reader", READER, "&scope=write").await.assert_error(400, "invalid_scope");
        assert_eq!(replica.token("newcomer", READER, "&scope=read").await.status, 200);
    }

    async fn a_changed_audience_holds_once_the_feed_is_read(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.issued("reader", READER, "").await;
        env.apply(&CATALOG.replace("served_by", "algorithm = \"EdDSA\"\nserved_by")).await;
        replica.follow().await;
        let (header, _) = decoded(&replica.issued("reader", READER, "").await);
        assert_eq!(header["alg"], "EdDSA");
    }

    /// 7009-08 B-T04: the replica that revokes knows at once, the others once they read the feed.
    async fn a_revocation_holds_at_once_here_and_after_one_reading_there(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        assert_eq!(there.introspect("api", API, &token).await.json()["active"], true);
        assert_eq!(here.revoke("reader", READER, &token).await.status, 200);
        assert_eq!(here.introspect("api", API, &token).await.json()["active"], false);
        there.follow().await;
        assert_eq!(there.introspect("api", API, &token).await.json()["active"], false);
        // A replica that starts afterwards knows it, too.
        let late = env.replica().await;
        assert_eq!(late.introspect("api", API, &token).await.json()["active"], false);
    }

    async fn a_renewed_hash_holds_at_once_on_the_replica_that_renews_it(env) {
        env.apply(&CATALOG.replace(READER, &foreign_hash())).await;
        let replica = env.replica().await;
        let reader = ClientId::parse("reader").unwrap();
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        eventually("the hash is renewed, and nobody reads the feed", async || {
            let known = replica.grantd.directory().client(&reader).await.unwrap().unwrap();
            known.credentials[0].secret().unwrap().form == SecretForm::Imported
        })
        .await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }

    /// On Postgres a notification wakes the reader, on SQLite the version of the data, long before the interval is
    /// over. One connection is enough.
    async fn a_replica_that_follows_by_itself_hears_within_a_second(env) {
        env.apply(CATALOG).await;
        let database = DatabaseOptions { max_connections: 1, ..impatient(&env) };
        let replica = env.replica_over(database, |_| {});
        replica.follow().await;
        let following =
            tokio::spawn(replica.grantd.feed().clone().keep_following(Duration::from_mins(1)));
        for (status, expected) in [("disabled", 401), ("active", 200), ("disabled", 401)] {
            let stated = format!("id = \"reader\"\nstatus = \"{status}\"");
            env.apply(&CATALOG.replace("id = \"reader\"", &stated)).await;
            let heard = eventually("it heard", async || {
                replica.token("reader", READER, "").await.status == expected
            });
            tokio::time::timeout(Duration::from_secs(1), heard).await.expect("within a second");
            env.clock.advance(Seconds::new(2));
        }
        following.abort();
    }

    async fn pruning_keeps_the_newest_change_however_old_it_is(env) {
        env.apply(CATALOG).await;
        env.apply(&CATALOG.replace("reader", "other")).await;
        let last = env.store.feed_position().await.unwrap();
        env.clock.advance(Seconds::new(4201));
        env.store.prune_feed(env.store.now().await.unwrap()).await.unwrap();
        let sql = Sql::of(&env.database).await;
        assert_eq!(sql.number("SELECT count(DISTINCT n) FROM changes").await, 1);
        assert_eq!(news(&env, &last).await, FeedNews::Changes(vec![], last.clone()));
        assert_eq!(env.store.feed_position().await.unwrap(), last);
    }

    async fn pruning_leaves_what_is_younger_than_an_hour_and_the_margin(env) {
        env.apply(CATALOG).await;
        let last = env.store.feed_position().await.unwrap();
        env.apply(&CATALOG.replace("reader", "other")).await;
        env.clock.advance(Seconds::new(4200));
        env.store.prune_feed(env.store.now().await.unwrap()).await.unwrap();
        assert!(matches!(news(&env, &last).await, FeedNews::Changes(changes, _) if !changes.is_empty()));
    }

    async fn a_reader_that_lags_behind_a_pruning_forgets_everything(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\"")).await;
        revoke_many(&env, 1).await;
        env.clock.advance(Seconds::new(4201));
        env.store.prune_feed(env.store.now().await.unwrap()).await.unwrap();
        replica.follow().await;
        replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
    }

    async fn a_change_of_a_later_version_makes_a_reader_forget_everything(env) {
        env.apply(CATALOG).await;
        let last = env.store.feed_position().await.unwrap();
        Sql::of(&env.database).await.run(
            "UPDATE feed_head SET n = n + 1;
             INSERT INTO changes SELECT n, 'of a later version', 'x', 'random', 0 FROM feed_head",
        ).await;
        let now = FeedPosition { n: last.n + 1, random_id: "random".into() };
        assert_eq!(news(&env, &last).await, FeedNews::TooMuch(now.clone()));
        assert_eq!(news(&env, &now).await, FeedNews::Changes(vec![], now));
    }

    async fn one_huge_change_makes_a_reader_forget_everything_once(env) {
        env.apply(CATALOG).await;
        let last = env.store.feed_position().await.unwrap();
        revoke_many(&env, 10_001).await;
        let FeedNews::TooMuch(now) = news(&env, &last).await else { panic!("it is too much") };
        assert_eq!(now.n, last.n + 1);
        assert_eq!(news(&env, &now).await, FeedNews::Changes(vec![], now.clone()));
        revoke_many(&env, 1).await;
        assert!(matches!(news(&env, &now).await, FeedNews::Changes(changes, _) if changes.len() == 1));
    }

    async fn a_feed_that_nothing_was_written_to_is_read(env) {
        let start = FeedPosition::default();
        assert_eq!(env.store.feed_position().await.unwrap(), start);
        assert_eq!(news(&env, &start).await, FeedNews::Changes(vec![], start));
        let replica = env.replica().await;
        env.apply(CATALOG).await;
        replica.follow().await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }
}
