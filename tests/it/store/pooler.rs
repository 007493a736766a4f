//! PgBouncer in transaction mode: a statement may find another connection than the one before it.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;

use grantd::domain::timestamp::Timestamp;
use grantd::operations::replay_cache::{Spending, Spent};
use grantd::store::error::StoreError;
use grantd::store::feed::{Change, ChangeKind};
use grantd::store::{DatabaseOptions, Store};
use sqlx::AssertSqlSafe;

use super::env::{assert_unavailable, eventually};
use super::outage::upstream;
use crate::cluster::{as_postgres, own_by_postgres};
use crate::harness::*;
use crate::process::free_port;

/// A pooler with few connections to a database of its own in the tests' Postgres.
struct PgBouncer {
    child: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl PgBouncer {
    async fn start(mode: &str) -> Self {
        let program = std::env::var("TEST_PGBOUNCER").expect("TEST_PGBOUNCER names the program");
        let url = std::env::var("TEST_POSTGRES_URL").unwrap();
        let admin = sqlx::PgPool::connect(&url).await.unwrap();
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&admin)
            .await
            .unwrap();
        let user: String = sqlx::query_scalar("SELECT current_user::text")
            .fetch_one(&admin)
            .await
            .unwrap();
        let env = Env::new(Database::sqlite()).await;
        let server = upstream(&Env {
            database: Database::at(url),
            ..env
        });
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        let (settings, port) = (directory.path().join("pgbouncer.ini"), free_port());
        let text = format!(
            "[databases]\n{name} = host={} port={} dbname={name} user={user}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = {mode}\n\
             default_pool_size = 3\nunix_socket_dir =\n",
            server.ip(),
            server.port()
        );
        std::fs::write(&settings, text).unwrap();
        own_by_postgres(directory.path());
        own_by_postgres(&settings);
        let mut command = as_postgres(&PathBuf::from(program));
        command
            .arg("-q")
            .arg(&settings)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        eventually("it listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        Self {
            child,
            url: format!("postgres://{user}@127.0.0.1:{port}/{name}"),
            _directory: directory,
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // `runuser` hands the signal on to its child; it cannot hand on a KILL.
        let pid = self.child.id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-s", "TERM", &pid])
            .status();
        let _ = self.child.wait();
    }
}

/// Everything that a server does with its database, several at once.
async fn everything_works(env: &Env) {
    env.apply(CATALOG).await;
    let (one, other) = (Arc::new(env.replica().await), Arc::new(env.replica().await));
    let rounds = (0..20).map(|round| {
        let (one, other) = (Arc::clone(&one), Arc::clone(&other));
        tokio::spawn(async move {
            let change = Change {
                kind: ChangeKind::Client,
                key: "reader".to_owned(),
            };
            one.grantd.directory().forget(0, &[change]);
            let token = one.issued("reader", READER, "").await;
            let jti = format!("{round}");
            let (made_at, dead_at) = (
                Timestamp::from_unix(START),
                Timestamp::from_unix(START + 60),
            );
            let spending = Spending {
                kind: "assertion",
                scope: &[b"w"],
                jti: &jti,
                made_at,
                dead_at,
            };
            assert_eq!(
                one.grantd.replay_cache().spend(spending).await.unwrap(),
                Spent::First
            );
            assert_eq!(
                other.grantd.replay_cache().spend(spending).await.unwrap(),
                Spent::Replay
            );
            other.follow().await;
            assert_eq!(
                other.introspect("api", API, &token).await.json()["active"],
                true
            );
            assert_eq!(one.revoke("reader", READER, &token).await.status, 200);
            other.follow().await;
            assert_eq!(
                other.introspect("api", API, &token).await.json()["active"],
                false
            );
        })
    });
    for round in rounds.collect::<Vec<_>>() {
        round.await.unwrap();
    }
    one.token("reader", "wrong secret of tests", "")
        .await
        .assert_error(401, "invalid_client");
    assert!(one.audit_events("refused").await >= 1);
    one.grantd.sweep().await;
    env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\""))
        .await;
    one.follow().await;
    one.token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_PGBOUNCER, the program; ./check sets it"]
async fn behind_pgbouncer_everything_works_where_statements_are_not_prepared() {
    let pooler = PgBouncer::start("transaction").await;
    let options = DatabaseOptions {
        prepared_statements: false,
        ..DatabaseOptions::new(pooler.url.clone())
    };
    Store::open(options).unwrap().migrate().await.unwrap();
    // The URL says it, too, for commands that read no settings.
    let url = format!("{}?statement-cache-capacity=0", pooler.url);
    everything_works(&Env::new(Database::at(url)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_PGBOUNCER, the program; ./check sets it"]
async fn behind_pgbouncer_in_session_mode_nothing_needs_to_be_set() {
    let pooler = PgBouncer::start("session").await;
    // Each of its three connections belongs to one client for as long as that is connected.
    let options = DatabaseOptions {
        max_connections: 2,
        ..DatabaseOptions::new(pooler.url.clone())
    };
    let store = Store::open(options).unwrap();
    store.migrate().await.unwrap();
    for _ in 0..10 {
        store.check_schema().await.unwrap();
        store.feed_position().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_PGBOUNCER, the program; ./check sets it"]
async fn behind_pgbouncer_prepared_statements_are_noticed_and_it_stays_so() {
    let pooler = PgBouncer::start("transaction").await;
    let url = format!("{}?statement-cache-capacity=0", pooler.url);
    let env = Env::new(Database::at(url)).await;
    env.apply(CATALOG).await;
    // Another client of the pooler leaves its statements on the connections.
    let first = Store::open(DatabaseOptions::new(pooler.url.clone())).unwrap();
    let _ = first.check_schema().await;
    let replica = env.replica_over(DatabaseOptions::new(pooler.url.clone()), |_| {});
    for _ in 0..20 {
        let error = replica.grantd.follow_feed().await.unwrap_err();
        assert!(matches!(error, StoreError::MixedStatements(_)), "{error}");
        assert_unavailable(&replica.token("reader", READER, "").await);
    }
}
