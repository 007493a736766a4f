//! Processes that migrate one database at once, one of them killed in the middle.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::harness::Database;
use crate::process::{eventually, printed};
use crate::serve::{Platform, Replica};

const AT_ONCE: usize = 6;

fn started(command: &mut Command) -> Child {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn succeeds(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
}

/// The schema is whole: a catalog is applied, and a second migration finds nothing to do.
fn is_whole(platform: &Platform) {
    platform.apply();
    platform.done(&["migrate"]);
    assert!(platform.done(&["client", "list"]).contains("reader"));
}

/// As Kubernetes starts them: all at once on an empty database.
#[tokio::test]
async fn six_who_migrate_at_once_make_one_schema() {
    for database in [Database::sqlite(), Database::postgres().await] {
        let platform = Platform::over(database);
        let migrating: Vec<Child> = (0..AT_ONCE)
            .map(|_| started(&mut platform.command(&["migrate"])))
            .collect();
        migrating.into_iter().for_each(succeeds);
        is_whole(&platform);
    }
}

/// On Postgres it stands still in the middle of its transaction, behind a table of the same name that is not committed.
#[tokio::test]
async fn one_that_is_killed_in_the_middle_leaves_the_work_to_the_others_on_postgres() {
    let platform = Platform::over(Database::postgres().await);
    let admin = sqlx::PgPool::connect(&platform.database.url).await.unwrap();
    let mut holding = admin.begin().await.unwrap();
    let create = "CREATE TABLE changes (n BIGINT)";
    sqlx::raw_sql(create).execute(&mut *holding).await.unwrap();
    let holder: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *holding)
        .await
        .unwrap();
    let mut killed = started(&mut platform.command(&["migrate"]));
    crate::store::env::eventually("one waits in the middle", async || {
        let held = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
        let held = sqlx::query_scalar::<_, i64>(held).bind(holder);
        held.fetch_one(&admin).await.unwrap() == 1
    })
    .await;
    let others: Vec<Child> = (0..AT_ONCE)
        .map(|_| started(&mut platform.command(&["migrate"])))
        .collect();
    killed.kill().unwrap();
    killed.wait().unwrap();
    holding.rollback().await.unwrap();
    others.into_iter().for_each(succeeds);
    is_whole(&platform);
}

/// Nothing makes SQLite stand still; it is killed as soon as its log is there, in many rounds.
#[tokio::test]
async fn one_that_is_killed_in_the_middle_leaves_the_work_to_the_others_on_sqlite() {
    for round in 0..8 {
        let platform = Platform::over(Database::sqlite());
        let log = platform.database.url.strip_prefix("sqlite://").unwrap();
        let log = PathBuf::from(format!("{log}-wal"));
        let mut killed = started(&mut platform.command(&["migrate"]));
        let others: Vec<Child> = (0..round % 3)
            .map(|_| started(&mut platform.command(&["migrate"])))
            .collect();
        eventually("its log is there", || {
            log.exists() || killed.try_wait().unwrap().is_some()
        });
        let _ = killed.kill();
        killed.wait().unwrap();
        others.into_iter().for_each(succeeds);
        platform.done(&["migrate"]);
        is_whole(&platform);
    }
}

#[tokio::test]
async fn replicas_that_start_at_once_with_migrate_all_come_up() {
    for database in [Database::sqlite(), Database::postgres().await] {
        let platform = Platform::over(database);
        let replicas: Vec<Replica> = ["a.log", "b.log", "c.log"]
            .into_iter()
            .map(|log| platform.replica_by(log, |command| _ = command.arg("--migrate")))
            .collect();
        for replica in &replicas {
            eventually("the replica is ready", || replica.is_ready());
        }
        is_whole(&platform);
    }
}
