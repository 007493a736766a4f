//! B-R04: what was spent stays spent when grantd or Postgres itself is killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::signer::{Key, TYPE, catalog};
use crate::cluster::Cluster;
use crate::harness::{Database, ISSUER};
use crate::process::{Server, eventually, finished, free_port, grantd, printed, request};

/// A migrated database with the client `worker`, and its key.
struct Platform {
    url: String,
    key: Key,
    directory: tempfile::TempDir,
}

impl Platform {
    fn new(url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = Key::new(SigningAlgorithm::Es256);
        crate::place::write_private(&directory.path().join("sealing.key"), &[7; 32]);
        // The secrets of the other clients are of no use here.
        let catalog = catalog(&[&key], "").replace("secret = \"", "secret = \"env:SECRET\" # \"");
        std::fs::write(directory.path().join("catalog.toml"), catalog).unwrap();
        let this = Self {
            url: url.to_owned(),
            key,
            directory,
        };
        this.done(&["migrate"]);
        let catalog = this.path("catalog.toml");
        this.done(&["apply", catalog.to_str().unwrap()]);
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = grantd();
        command
            .args(arguments)
            .env("GRANTD_DATABASE_URL", &self.url)
            .env("GRANTD_ISSUER", ISSUER)
            .env("GRANTD_SEALING__KEY_FILE", self.path("sealing.key"))
            .env("SECRET", "a-secret-of-the-kill-tests");
        command
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) {
        let output = finished(&mut self.command(arguments));
        assert!(output.status.success(), "{}", printed(&output));
    }

    fn serve(&self, log: &str) -> (Server, SocketAddr) {
        let public = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let operations = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = self.command(&["serve"]);
        command
            .env("GRANTD_PUBLIC__LISTEN", public.to_string())
            .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
        let server = Server::start(&mut command, &self.path(log));
        eventually("the replica is ready", || {
            request(operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
        });
        (server, public)
    }

    /// An assertion of now.
    fn assertion(&self, jti: &str) -> String {
        let now = Clock::system().now().unix();
        self.key.sign(&json!({
            "iss": "worker", "sub": "worker", "aud": ISSUER, "iat": now, "exp": now + 200, "jti": jti,
        }))
    }
}

/// The status of a token request with this assertion.
fn status(public: SocketAddr, assertion: &str) -> u16 {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"
    );
    request(public, "POST /oauth2/token", &form).unwrap().0
}

/// Kills grantd right after it answered, and asks its successor.
fn grantd_is_killed(url: &str) {
    let platform = Platform::new(url);
    let (mut server, public) = platform.serve("a.log");
    let used = platform.assertion("1");
    assert_eq!(status(public, &used), 200);
    server.signal("KILL");
    server.wait();
    let (_server, public) = platform.serve("b.log");
    assert_eq!(status(public, &used), 401);
    assert_eq!(status(public, &platform.assertion("2")), 200);
}

/// B-R04.
#[test]
fn a_replay_after_grantd_was_killed_is_refused_on_sqlite() {
    grantd_is_killed(&Database::sqlite().url);
}

/// B-R04.
#[tokio::test]
async fn a_replay_after_grantd_was_killed_is_refused_on_postgres() {
    grantd_is_killed(&Database::postgres().await.url);
}

/// B-R04: `./check` runs this where it finds the server's binaries.
#[tokio::test]
#[ignore = "needs TEST_POSTGRES_BIN, the folder of a Postgres server's binaries; ./check sets it"]
async fn a_replay_after_postgres_was_killed_is_refused() {
    // Sessions do not wait for the disk, and the writer sleeps long: what is not committed synchronously is lost.
    let cluster = Cluster::new("-c synchronous_commit=off -c wal_writer_delay=10s");
    let platform = Platform::new(&cluster.url());
    let pool = sqlx::PgPool::connect(&cluster.url()).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&pool).await.unwrap();
    pool.close().await;
    let (mut server, public) = platform.serve("a.log");
    let used = platform.assertion("1");
    assert_eq!(status(public, &used), 200);
    cluster.kill();
    server.signal("KILL");
    server.wait();
    cluster.start();
    let (_server, public) = platform.serve("b.log");
    assert_eq!(status(public, &used), 401);
    assert_eq!(status(public, &platform.assertion("2")), 200);
}
