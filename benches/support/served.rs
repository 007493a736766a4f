//! `grantd serve` over a Postgres schema of its own, pinned to the first core.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::replica::{ISSUER, is_ready};
use crate::{private, support};

/// A schema of its own, which goes when it is dropped.
pub(crate) struct Schema {
    name: String,
    server: String,
    pub(crate) url: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL is set");
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-c%20search_path%3D{name}");
        let this = Self { name, server, url };
        this.execute(format!("CREATE SCHEMA {}", this.name));
        this
    }

    fn execute(&self, statement: String) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let pool = sqlx::PgPool::connect(&self.server)
                .await
                .expect("Postgres answers");
            let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
            statement
                .execute(&pool)
                .await
                .expect("the statement is right");
        });
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// `serve` of the program `grantd` for the issuer of the assertions, on `port` of a migrated database with this catalog,
/// and where it answers whether it is ready.
pub(crate) fn start_grantd(
    grantd: &str,
    port: u16,
    (database, catalog_text): (&str, &str),
) -> support::Running {
    let directory = tempfile::tempdir().expect("a directory");
    let (sealing, catalog) = (
        directory.path().join("sealing.key"),
        directory.path().join("catalog.toml"),
    );
    private::write(&sealing, [7; 32]);
    std::fs::write(&catalog, catalog_text).expect("the catalog is written");
    let command = |mut command: Command, arguments: &[&str]| {
        command
            .args(arguments)
            .env("GRANTD_DATABASE_URL", database)
            .env("GRANTD_ISSUER", ISSUER)
            .env("GRANTD_SEALING__KEY_FILE", &sealing)
            .env("GRANTD_LOG", "warn")
            .stdout(Stdio::null());
        command
    };
    let catalog = catalog.to_str().expect("UTF-8");
    for arguments in [&["migrate"][..], &["apply", catalog]] {
        let done = command(Command::new(grantd), arguments)
            .status()
            .expect("grantd runs");
        assert!(done.success(), "{arguments:?}");
    }
    let mut serve = command(support::pinned(grantd), &["serve"]);
    let operations = support::free_port();
    serve
        .env("GRANTD_PUBLIC__LISTEN", format!("127.0.0.1:{port}"))
        .env(
            "GRANTD_OPERATIONS__LISTEN",
            format!("127.0.0.1:{operations}"),
        );
    let running = support::Running(serve.spawn().expect("grantd starts"));
    let operations = SocketAddr::from(([127, 0, 0, 1], operations));
    while !is_ready(operations) {
        std::thread::sleep(Duration::from_millis(10));
    }
    running
}
