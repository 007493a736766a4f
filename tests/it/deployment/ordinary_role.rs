//! The role of docs/production.md: it owns its database, and is nothing else.

use crate::cluster::Cluster;
use crate::harness::Database;
use crate::raw_sql::execute;
use crate::serve::Platform;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_BIN, the folder of a Postgres server's binaries; ./check sets it"]
async fn a_role_that_owns_its_database_and_is_nothing_else_is_enough() {
    let cluster = Cluster::new("");
    let admin = Database::at(cluster.url());
    for statement in [
        "CREATE ROLE plain LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION",
        "CREATE DATABASE plain OWNER plain",
    ] {
        execute(&admin, statement).await;
    }
    let url = format!("postgres://plain@127.0.0.1:{}/plain", cluster.port);
    let platform = Platform::over(Database::at(url));
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.ready_replica("replica.log");
    let (status, answer) = replica.token();
    assert_eq!(status, 200, "{answer}");
}
