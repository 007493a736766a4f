//! `grantd serve`: replicas as processes on one Postgres.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use grantd::clock::Clock;

use crate::catalogs::{audience, client, reads};
use crate::harness::Database;
use crate::process::{
    Server, access_token, eventually, finished, free_port, grantd, printed, request, token,
};
use crate::redaction;

pub(crate) const SECRET: &str = "a-secret-of-the-serve-tests";

/// A database, a sealing key and a catalog in a directory of their own.
pub(crate) struct Platform {
    pub(crate) database: Database,
    directory: tempfile::TempDir,
}

impl Platform {
    pub(crate) async fn new() -> Self {
        Self::over(Database::postgres().await)
    }

    pub(crate) fn over(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        crate::place::write_private(&directory.path().join("sealing.key"), &[7; 32]);
        let this = Self {
            database,
            directory,
        };
        this.write_catalog("active");
        this
    }

    /// With the catalog applied.
    async fn with_two_replicas() -> (Self, [Replica; 2]) {
        let this = Self::new().await;
        this.done(&["migrate"]);
        this.apply();
        let replicas = ["a.log", "b.log"].map(|log| this.ready_replica(log));
        (this, replicas)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write_catalog(&self, status: &str) {
        let post = "auth = \"client_secret_post\"\nsecret = \"env:READER_SECRET\"\n";
        let status = format!("{post}status = \"{status}\"");
        let catalog = [
            audience("pricing", "read", "served_by = [\"api\"]"),
            client("reader", &status, &reads("pricing")),
            client("api", &format!("{post}grants = []"), &[]),
        ]
        .concat();
        std::fs::write(self.path("catalog.toml"), catalog).unwrap();
    }

    /// `grantd` with the settings of this platform in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = grantd();
        command
            .args(arguments)
            .env("GRANTD_DATABASE_URL", &self.database.url)
            .env("GRANTD_ISSUER", "https://auth.example")
            .env("GRANTD_SEALING__KEY_FILE", self.path("sealing.key"))
            .env("READER_SECRET", SECRET);
        command
    }

    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = finished(&mut self.command(arguments));
        assert!(output.status.success(), "{}", printed(&output));
        printed(&output)
    }

    pub(crate) fn apply(&self) -> String {
        let catalog = self.path("catalog.toml");
        self.done(&["apply", catalog.to_str().unwrap()])
    }

    pub(crate) fn replica(&self, name: &str) -> Replica {
        self.replica_with(name, &[("GRANTD_LOG", "trace")])
    }

    /// A replica with further variables.
    fn replica_with(&self, name: &str, variables: &[(&str, &str)]) -> Replica {
        let variables = variables.iter().copied();
        self.replica_by(name, |command| _ = command.envs(variables))
    }

    /// A replica whose command was adjusted.
    pub(crate) fn replica_by(&self, name: &str, adjust: impl FnOnce(&mut Command)) -> Replica {
        let public = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let operations = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = self.command(&["serve"]);
        command
            .env("GRANTD_PUBLIC__LISTEN", public.to_string())
            .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
        adjust(&mut command);
        let server = Server::start(&mut command, &self.path(name));
        Replica {
            server,
            public,
            operations,
        }
    }

    pub(crate) fn ready_replica(&self, name: &str) -> Replica {
        let replica = self.replica(name);
        eventually("the replica is ready", || replica.is_ready());
        replica
    }

    /// As [`Self::ready_replica`], with further variables in place of the talkative log.
    pub(crate) fn ready_replica_with(&self, name: &str, variables: &[(&str, &str)]) -> Replica {
        let replica = self.replica_with(name, variables);
        eventually("the replica is ready", || replica.is_ready());
        replica
    }
}

pub(crate) struct Replica {
    pub(crate) server: Server,
    pub(crate) public: SocketAddr,
    pub(crate) operations: SocketAddr,
}

impl Drop for Replica {
    fn drop(&mut self) {
        if redaction::is_on()
            && let Some((_, numbers)) = request(self.operations, "GET /metrics", "")
        {
            redaction::keep(redaction::Source::Metrics, numbers.as_bytes());
        }
    }
}

impl Replica {
    pub(crate) fn is_ready(&self) -> bool {
        request(self.operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
    }

    /// Whether it is ready, and nothing is degraded.
    pub(crate) fn is_whole(&self) -> bool {
        request(self.operations, "GET /readyz", "")
            .is_some_and(|(status, body)| status == 200 && body.contains("\"degraded\":[]"))
    }

    pub(crate) fn token(&self) -> (u16, String) {
        token(self.public, "reader", SECRET).unwrap()
    }

    pub(crate) fn introspects(&self, token: &str) -> bool {
        let form = format!("token={token}&client_id=api&client_secret={SECRET}");
        let (status, answer) = request(self.public, "POST /oauth2/introspect", &form).unwrap();
        assert_eq!(status, 200, "{answer}");
        answer.contains(r#""active":true"#)
    }
}

/// B-C09 B-C10: "within a second" is DESIGN's bound; the replicas poll and are woken.
#[tokio::test]
async fn a_client_that_apply_disables_is_refused_by_two_replicas_within_a_second() {
    let (platform, replicas) = Platform::with_two_replicas().await;
    let (status, answer) = replicas[0].token();
    assert_eq!(status, 200, "{answer}");
    let token = access_token(&answer);
    assert!(replicas.iter().all(|replica| replica.introspects(&token)));

    platform.write_catalog("disabled");
    let plan = platform.apply();
    let clock = Clock::system();
    assert!(
        plan.contains("changed   client reader") && plan.contains("status: active → disabled"),
        "{plan}"
    );
    for replica in &replicas {
        eventually("the client is refused", || replica.token().0 == 401);
        assert!(!replica.introspects(&token), "its token is dead");
    }
    let took = clock.monotonic();
    assert!(took.as_secs_f64() < 1.0, "it took {took:?}");

    platform.write_catalog("active");
    platform.apply();
    for replica in &replicas {
        eventually("the client is back", || replica.token().0 == 200);
        assert!(!replica.introspects(&token), "enabling revives no token");
    }
}

/// B-C09 B-T04: each verb by its command, until both replicas call the token inactive.
#[tokio::test]
async fn whatever_stops_holds_on_two_replicas_within_a_second() {
    let (platform, replicas) = Platform::with_two_replicas().await;
    for (stop, revive) in [
        (
            "policy deny reader pricing",
            "policy allow reader pricing --default-scope read",
        ),
        ("client disable reader", "client enable reader"),
        ("client revoke-tokens reader", ""),
        ("token revoke JTI", ""),
        // By the catalog, which still states it.
        ("client delete reader --yes", "apply catalog.toml"),
        ("credential retire ID --compromised", ""),
    ] {
        let (status, answer) = replicas[0].token();
        assert_eq!(status, 200, "{stop}: {answer}");
        let token = access_token(&answer);
        let jti = crate::harness::decoded(&token).1["jti"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            replicas.iter().all(|replica| replica.introspects(&token)),
            "{stop}"
        );
        let line = stop.replace("JTI", &jti).replace("ID", &jti[..10]);
        platform.done(&line.split(' ').collect::<Vec<_>>());
        let clock = Clock::system();
        for replica in &replicas {
            eventually("the token is inactive", || !replica.introspects(&token));
        }
        let took = clock.monotonic();
        assert!(took.as_secs_f64() < 1.0, "{stop} took {took:?}");
        let refused = ["revoke-tokens", "token revoke"]
            .iter()
            .all(|it| !stop.contains(it));
        for replica in &replicas {
            assert_eq!(replica.token().0 != 200, refused, "{stop}");
        }
        if !revive.is_empty() {
            let catalog = platform.path("catalog.toml");
            let revive = revive.replace("catalog.toml", catalog.to_str().unwrap());
            platform.done(&revive.split(' ').collect::<Vec<_>>());
            for replica in &replicas {
                eventually("it gets tokens again", || replica.token().0 == 200);
                assert!(!replica.introspects(&token), "{stop}");
            }
        }
    }
}

#[tokio::test]
async fn a_killed_replica_harms_no_other_and_a_stopped_one_ends_well() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let mut first = platform.ready_replica("a.log");
    let mut second = platform.ready_replica("b.log");
    let (_, answer) = first.token();
    first.server.signal("KILL");
    first.server.wait();
    assert!(
        second.introspects(&access_token(&answer)),
        "a key outlives the replica that used it"
    );
    assert_eq!(second.token().0, 200);
    second.server.signal("TERM");
    assert!(second.server.wait().success());
    assert_eq!(request(second.public, "GET /oauth2/jwks", ""), None);
}

/// B-H10: what is for operators is not on the public listener, and the reverse.
#[tokio::test]
async fn the_two_listeners_share_no_path() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.ready_replica("a.log");
    for path in [
        "/livez",
        "/readyz",
        "//readyz",
        "/readyz/",
        "/%2e%2e/readyz",
        "/metrics",
    ] {
        let (status, answer) = request(replica.public, &format!("GET {path}"), "").unwrap();
        assert_eq!(status, 404, "{path}: {answer}");
    }
    let (status, _) = request(replica.operations, "POST /oauth2/token", "a=b").unwrap();
    assert_eq!(status, 404);
    assert_eq!(
        request(replica.operations, "GET /livez", "").unwrap().0,
        200
    );
}

#[tokio::test]
async fn serve_refuses_an_older_schema_and_says_what_to_do() {
    let platform = Platform::new().await;
    let mut replica = platform.replica("a.log");
    assert!(!replica.server.wait().success());
    assert!(
        replica.server.log().contains("grantd migrate"),
        "{}",
        replica.server.log()
    );
    let output = finished(&mut platform.command(&["client", "list"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("grantd migrate"));
}

#[tokio::test]
async fn apply_and_serve_say_that_the_sealing_key_is_missing() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    let catalog = platform.path("catalog.toml");
    for arguments in [vec!["apply", catalog.to_str().unwrap()], vec!["serve"]] {
        let mut command = platform.command(&arguments);
        command.env(
            "GRANTD_PUBLIC__LISTEN",
            format!("127.0.0.1:{}", free_port()),
        );
        let output = finished(command.env_remove("GRANTD_SEALING__KEY_FILE"));
        assert_eq!(output.status.code(), Some(1));
        assert!(
            printed(&output).contains("GRANTD_SEALING__KEY_FILE"),
            "{}",
            printed(&output)
        );
    }
}

/// 6749-34: started without a database a replica answers 503, is not ready, and comes up by itself.
#[tokio::test]
async fn a_replica_that_starts_without_a_database_answers_503() {
    let platform = Platform::new().await;
    let public = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let operations = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let nobody = free_port();
    let mut command = platform.command(&["serve"]);
    command
        .env(
            "GRANTD_DATABASE_URL",
            format!("postgres://me:pass@127.0.0.1:{nobody}/x"),
        )
        .env("GRANTD_PUBLIC__LISTEN", public.to_string())
        .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
    let server = Server::start(&mut command, &platform.path("a.log"));
    eventually("it listens", || {
        request(operations, "GET /livez", "").is_some()
    });
    assert_eq!(request(operations, "GET /readyz", "").unwrap().0, 503);
    for head in [
        "GET /oauth2/jwks",
        "GET /.well-known/oauth-authorization-server",
    ] {
        let (status, answer) = request(public, head, "").unwrap();
        assert_eq!(status, 503, "{answer}");
        assert!(
            answer.to_ascii_lowercase().contains("retry-after:"),
            "{answer}"
        );
    }
    assert_eq!(token(public, "reader", SECRET).unwrap().0, 503);
    let why = format!("the database x at 127.0.0.1:{nobody} is out of reach: ");
    eventually("the log says why", || server.log().contains(&why));
    assert!(
        server.log().contains("Connection refused"),
        "{}",
        server.log()
    );
    let (_, readiness) = request(operations, "GET /readyz", "").unwrap();
    assert!(
        readiness.contains(r#""what":"database""#) && readiness.contains(&why),
        "{readiness}"
    );
    assert!(!server.log().contains("pass@"), "{}", server.log());
}

/// B-H08: with every log target at trace nothing secret is printed.
/// A log that goes to a file is for machines, unless the settings say otherwise.
#[tokio::test]
async fn each_line_of_a_log_in_a_file_is_a_json_object() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.ready_replica_with("a.log", &[]);
    assert_eq!(replica.token().0, 200);
    eventually("the line is written", || {
        replica.server.log().contains("\"issued\"")
    });
    let log = replica.server.log();
    let lines = log.lines();
    let lines: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let issued = lines
        .iter()
        .find(|line| line["fields"]["message"] == "issued");
    let issued = issued.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(issued["level"], "INFO");
    for (field, value) in [("client", "reader"), ("outcome", "issued")] {
        assert_eq!(issued["fields"][field], value);
    }
    for field in [
        "jti",
        "credential",
        "source",
        "request_id",
        "scopes_granted",
        "audience",
    ] {
        assert!(issued["fields"][field].is_string(), "{field}: {issued}");
    }
    drop(replica);
    let replica = platform.replica_with("b.log", &[("GRANTD_LOG__FORMAT", "text")]);
    eventually("it serves", || replica.server.log().contains("serving"));
    assert!(!replica.server.log().starts_with('{'));
}

#[tokio::test]
async fn no_secret_and_no_token_reaches_the_log_at_trace() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    let plan = platform.apply();
    assert!(!plan.contains(SECRET));
    let replica = platform.ready_replica("a.log");
    let (_, answer) = replica.token();
    let token_text = access_token(&answer);
    assert!(replica.introspects(&token_text));
    assert_eq!(
        token(replica.public, "reader", "a-wrong-marked-secret")
            .unwrap()
            .0,
        401
    );
    assert_eq!(
        token(replica.public, "a-marked-secret-of-2-as-an-id", SECRET)
            .unwrap()
            .0,
        401
    );
    let query = format!("POST /oauth2/token?client_secret={SECRET}");
    assert_eq!(request(replica.public, &query, "").unwrap().0, 400);
    let sealed = read_sealed_keys(&platform.database.url).await;
    let log = replica.server.log();
    assert!(
        log.contains("sqlx::query") || log.contains("SELECT"),
        "the log is at its most talkative"
    );
    assert!(log.contains("refused"), "refusals are told");
    let signature = token_text.rsplit('.').next().unwrap();
    for mark in [SECRET, signature, &token_text] {
        assert!(!log.contains(mark), "{mark} stands in the log");
    }
    assert!(
        sealed.iter().all(|key| !log.contains(key)),
        "a sealed key stands in the log"
    );
}

async fn read_sealed_keys(url: &str) -> Vec<String> {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT sealed_private_key FROM signing_keys")
        .fetch_all(&pool)
        .await
        .unwrap()
}

#[test]
fn a_typing_error_in_the_settings_is_told_with_file_line_and_nearest_key() {
    let directory = tempfile::tempdir().unwrap();
    let file: &Path = &directory.path().join("grantd.toml");
    std::fs::write(
        file,
        "issuer = \"https://auth.example\"\ndatabase_ulr = \"sqlite://x\"\n",
    )
    .unwrap();
    for command in ["serve", "check-config"] {
        let output = finished(grantd().args([command, "--config", file.to_str().unwrap()]));
        assert_eq!(output.status.code(), Some(1), "{command}");
        let text = printed(&output);
        assert!(
            text.contains("grantd.toml:2") && text.contains("database_url"),
            "{text}"
        );
    }
}
