//! What the replay cache promises of the database: a spent `jti` is on disk before anybody is told, and without the
//! database nobody gets a token.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use grantd::clock::Clock;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::replay_cache::{Spending, Spent};
use grantd::store::DatabaseOptions;
use sqlx::{PgPool, SqlitePool};

use super::signer::{assert_refused, claims, token, worker};
use crate::harness::{Database, Env, Replica, START, on_both};
use crate::raw_sql::{execute, texts};

fn spending(jti: &str) -> Spending<'_> {
    let (made_at, dead_at) = (
        Timestamp::from_unix(START),
        Timestamp::from_unix(START + 60),
    );
    Spending {
        kind: "assertion",
        scope: &[b"worker"],
        jti,
        made_at,
        dead_at,
    }
}

/// Makes Postgres run `body` for each row that is spent, and leave what it says to the transaction.
async fn on_each_spent_row(database: &Database, body: &str) {
    let function = format!(
        "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$"
    );
    execute(database, &function).await;
    let trigger = "CREATE TRIGGER watch AFTER INSERT ON used_assertions \
                   FOR EACH ROW EXECUTE FUNCTION watch()";
    execute(database, trigger).await;
}

/// A replica that has no patience with its database.
async fn impatient(env: &Env) -> Replica {
    let options = DatabaseOptions {
        statement_timeout: Duration::from_millis(300),
        lock_timeout: Duration::from_millis(100),
        ..DatabaseOptions::new(env.database.url.clone())
    };
    let replica = env.replica_over(options, |_| {});
    replica.follow().await;
    replica
}

/// B-R04: what a session or a role has set does not count, and no other statement is slowed down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_jti_is_committed_synchronously_whatever_the_session_says() {
    let mut database = Database::postgres().await;
    database.url += "%20-c%20synchronous_commit%3Doff";
    let env = Env::new(database).await;
    assert_eq!(
        texts(&env.database, "SHOW synchronous_commit").await,
        ["off"]
    );
    execute(&env.database, "CREATE TABLE seen (setting TEXT)").await;
    let note = "INSERT INTO seen VALUES (current_setting('synchronous_commit'));";
    on_each_spent_row(&env.database, note).await;
    let (replica, key) = worker(&env).await;
    for jti in ["1", "2", "3"] {
        assert_eq!(
            token(&replica, &key.sign(&claims("worker", jti)))
                .await
                .status,
            200
        );
        let after = sqlx::query_scalar::<_, String>("SHOW synchronous_commit");
        let pool = PgPool::connect(&env.database.url).await.unwrap();
        assert_eq!(
            after.fetch_one(&pool).await.unwrap(),
            "off",
            "set for one transaction only"
        );
    }
    assert_eq!(
        texts(&env.database, "SELECT setting FROM seen").await,
        ["on", "on", "on"]
    );
}

/// A serialization failure or a deadlock of Postgres is repeated, and not told to the client; not for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_another_transaction_got_in_the_way_of_is_repeated() {
    let env = Env::new(Database::postgres().await).await;
    let (replica, key) = worker(&env).await;
    execute(&env.database, "CREATE SEQUENCE attempts").await;
    let fail = "IF nextval('attempts') % 6 IN (1, 2, 4, 5, 0) THEN \
                RAISE 'in the way' USING ERRCODE = CASE currval('attempts') % 2 \
                WHEN 0 THEN '40001' ELSE '40P01' END; END IF;";
    on_each_spent_row(&env.database, fail).await;
    let first = key.sign(&claims("worker", "1"));
    assert_eq!(
        token(&replica, &first).await.status,
        200,
        "the third attempt"
    );
    assert_refused(&replica, std::slice::from_ref(&first)).await;
    let second = key.sign(&claims("worker", "2"));
    token(&replica, &second)
        .await
        .assert_error(503, "temporarily_unavailable");
    assert_eq!(
        texts(&env.database, "SELECT last_value::text FROM attempts").await,
        ["6"]
    );
}

on_both! {
    /// B-R13: nothing is issued when it cannot be written that the `jti` is spent.
    async fn without_the_table_nobody_gets_a_token(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        env.database.hide_table("used_assertions").await;
        for _ in 0..2 {
            let answer = token(&replica, &assertion).await;
            answer.assert_error(503, "temporarily_unavailable");
            assert!(answer.headers.contains_key("retry-after"));
            assert!(answer.json().get("access_token").is_none());
        }
        env.database.show_table("used_assertions").await;
        assert_eq!(token(&replica, &assertion).await.status, 200, "it was never spent");
        assert_refused(&replica, &[assertion]).await;
    }

    /// B-R13: a full disk.
    async fn without_room_nobody_gets_a_token(env) {
        let (replica, key) = worker(&env).await;
        if env.database.is_postgres() {
            on_each_spent_row(&env.database, "RAISE 'disk full' USING ERRCODE = '53100';").await;
        } else {
            execute(
                &env.database,
                "CREATE TRIGGER watch AFTER INSERT ON used_assertions \
                 BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
            )
            .await;
        }
        let answer = token(&replica, &key.sign(&claims("worker", "1"))).await;
        answer.assert_error(503, "temporarily_unavailable");
        assert!(texts(&env.database, "SELECT key FROM used_assertions").await.is_empty());
    }

    /// B-R13: a database that holds on to the table; what is spent meanwhile stays unknown, and no token is given.
    async fn while_the_table_is_locked_nobody_gets_a_token(env) {
        let (_, key) = worker(&env).await;
        let replica = impatient(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        let url = &env.database.url;
        let answer = if env.database.is_postgres() {
            let mut holder = PgPool::connect(url).await.unwrap().begin().await.unwrap();
            let lock = "LOCK TABLE used_assertions IN ACCESS EXCLUSIVE MODE";
            sqlx::query(lock).execute(&mut *holder).await.unwrap();
            token(&replica, &assertion).await
        } else {
            let pool = SqlitePool::connect(url).await.unwrap();
            let holder = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let answer = token(&replica, &assertion).await;
            drop(holder);
            answer
        };
        answer.assert_error(503, "temporarily_unavailable");
        assert_eq!(token(&replica, &key.sign(&claims("worker", "2"))).await.status, 200);
    }

    /// A caller that goes away takes nobody with it, and its `jti` is spent all the same.
    async fn who_goes_away_does_not_cancel_the_batch(env) {
        let (replica, _) = worker(&env).await;
        let mut gone = Box::pin(replica.grantd.replay_cache().spend(spending("gone")));
        let other = Arc::clone(replica.grantd.replay_cache());
        let other = async move { other.spend(spending("other")).await.unwrap() };
        let mut other = Box::pin(other);
        let _ = futures_util::poll!(&mut gone);
        let early = futures_util::poll!(&mut other);
        drop(gone);
        let spent = match early {
            Poll::Ready(spent) => spent,
            Poll::Pending => other.await,
        };
        assert_eq!(spent, Spent::First);
        assert_eq!(replica.grantd.replay_cache().spend(spending("gone")).await.unwrap(), Spent::Replay);
        let another = env.replica().await;
        for jti in ["gone", "other"] {
            let spent = another.grantd.replay_cache().spend(spending(jti)).await.unwrap();
            assert_eq!(spent, Spent::Replay, "{jti} is in the database");
        }
    }

    /// B-R14: rows outlive their assertions by ten minutes, because a clock may step back by that much.
    async fn a_clock_that_steps_back_accepts_nothing_twice(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&replica, &assertion).await.status, 200);
        env.clock.advance(Seconds::new(60 + 10 + 600));
        replica.grantd.sweep().await;
        let back = env.with_clock(Clock::manual(Timestamp::from_unix(START)));
        let stepped_back = back.replica().await;
        assert_refused(&stepped_back, &[assertion]).await;
        let fresh = key.sign(&claims("worker", "2"));
        assert_eq!(token(&stepped_back, &fresh).await.status, 200);
    }

    /// B-R06: equal keys would be one space for all; each client's is its own, and no client burns another's.
    async fn what_one_client_spends_is_fresh_for_another(env) {
        let (replica, _) = worker(&env).await;
        let of = |client: &'static [u8], kind: &'static str| {
            let grantd = Arc::clone(&replica.grantd);
            async move {
                let spending = Spending { kind, scope: &[client], ..spending("1") };
                grantd.replay_cache().spend(spending).await.unwrap()
            }
        };
        for (client, kind) in
            [(&b"worker"[..], "assertion"), (b"other", "assertion"), (b"worker", "dpop")]
        {
            assert_eq!(of(client, kind).await, Spent::First);
            assert_eq!(of(client, kind).await, Spent::Replay);
        }
    }
}
