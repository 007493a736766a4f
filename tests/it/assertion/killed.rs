//! B-R04: what was spent stays spent when grantd or Postgres itself is killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::signer::{Key, TYPE, catalog};
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
        let this = Self { url: url.to_owned(), key, directory };
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

#[test]
fn a_replay_after_grantd_was_killed_is_refused_on_sqlite_b_r04() {
    grantd_is_killed(&Database::sqlite().url);
}

#[tokio::test]
async fn a_replay_after_grantd_was_killed_is_refused_on_postgres_b_r04() {
    grantd_is_killed(&Database::postgres().await.url);
}

/// A Postgres of this test alone, whose sessions do not wait for the disk and whose writer sleeps long: what is not
/// committed synchronously is lost when it is killed.
struct Cluster {
    bin: PathBuf,
    directory: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    fn new() -> Self {
        let bin = std::env::var("TEST_POSTGRES_BIN")
            .expect("TEST_POSTGRES_BIN is not set: it names the folder with initdb and postgres");
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        let this = Self { bin: bin.into(), directory, port: free_port() };
        if is_root() {
            let path = this.directory.path();
            assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
        }
        let data = this.data();
        this.run(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                "grantd",
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
        );
        this.start();
        this
    }

    fn data(&self) -> String {
        self.directory.path().join("data").to_str().unwrap().to_owned()
    }

    /// Postgres refuses to run as root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir("/").stdout(std::process::Stdio::null());
        let done = command.status().unwrap().success();
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        assert!(done, "{arguments:?}: {log}");
    }

    fn start(&self) {
        let log = self.directory.path().join("log").to_str().unwrap().to_owned();
        // No socket in a folder: its lock would outlive the server, as postmaster.pid does.
        let options = format!(
            "-p {} -h 127.0.0.1 -c unix_socket_directories= -c synchronous_commit=off \
             -c wal_writer_delay=10s",
            self.port
        );
        let (data, wait) = (self.data(), ["start", "--wait", "--silent", "--pgdata"]);
        self.run("pg_ctl", &[&wait[..], &[&data, "--log", &log, "--options", &options]].concat());
    }

    /// All of its processes, the first one held meanwhile: none can write what another left in memory.
    fn kill(&self) {
        let file = Path::new(&self.data()).join("postmaster.pid");
        let postmaster = std::fs::read_to_string(&file).unwrap();
        let postmaster = postmaster.lines().next().unwrap().to_owned();
        let signal = |name: &str, pids: &[&str]| {
            assert!(Command::new("kill").args(["-s", name]).args(pids).status().unwrap().success());
        };
        signal("STOP", &[&postmaster]);
        let children = Command::new("pgrep").args(["-P", &postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all: Vec<&str> = children.lines().chain([postmaster.as_str()]).collect();
        assert!(all.len() > 3, "{all:?}");
        signal("KILL", &all);
        eventually("all of Postgres has ended", || {
            all.iter().all(|pid| !Path::new("/proc").join(pid).join("exe").exists())
        });
        // Where nobody buries the dead, their number looks taken.
        std::fs::remove_file(file).unwrap();
    }

    fn url(&self) -> String {
        format!("postgres://grantd@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            self.kill();
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// B-R04: `./check` runs this where it finds the server's binaries.
#[tokio::test]
#[ignore = "needs TEST_POSTGRES_BIN, the folder of a Postgres server's binaries; ./check sets it"]
async fn a_replay_after_postgres_was_killed_is_refused() {
    let cluster = Cluster::new();
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
