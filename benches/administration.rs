//! What administration costs beside many clients: `cargo bench --bench administration`.
//!
//! A catalog of 1,000, 10,000 and 100,000 clients (or of the numbers that follow `--`), half of them with the hash of a
//! generated secret, as `export` writes it, and half with a key, on SQLite and, where `TEST_POSTGRES_URL` is set, on
//! Postgres. Each figure is one run of the binary, its start included. The aims: `apply` of 100,000 clients under a
//! minute, one that changes one of them under ten seconds, a command on one client under 100 ms, and growth no faster
//! than the number of clients.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/private.rs"]
mod private;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use grantd::crypto::jws::generate;
use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::operations::import_secret::hash_generated;

/// The grantd of this build.
const GRANTD: &str = env!("CARGO_BIN_EXE_grantd");
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROWS: [&str; 7] = [
    "first apply",
    "apply without a change",
    "apply that changes one",
    "credential add-secret",
    "credential retire",
    "export",
    "client list",
];

fn main() {
    let stated: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let sizes = if stated.is_empty() {
        SIZES.to_vec()
    } else {
        stated
    };
    let catalogs: Vec<Catalog> = sizes.iter().map(|size| Catalog::of(*size)).collect();
    let directory = tempfile::tempdir().expect("a directory");
    let sqlite = |size: usize| format!("sqlite://{}/{size}.db", directory.path().display());
    print_table("SQLite", &catalogs, directory.path(), sqlite);
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        print_table("Postgres", &catalogs, directory.path(), |_| schema(&url));
    }
}

/// A row an operation, in seconds a size, each with its growth over the size before.
fn print_table(name: &str, catalogs: &[Catalog], directory: &Path, url: impl Fn(usize) -> String) {
    let columns: Vec<[f64; ROWS.len()]> = catalogs
        .iter()
        .map(|catalog| measured(catalog, directory, &url(catalog.size)))
        .collect();
    let mut table = format!("{name:<24}");
    for catalog in catalogs {
        let _ = write!(table, "{:>18}", catalog.size);
    }
    for (row, operation) in ROWS.iter().enumerate() {
        let _ = write!(table, "\n{operation:<24}");
        let mut before = None;
        for column in columns.iter().filter_map(|column| column.get(row)) {
            let growth =
                before.map_or_else(String::new, |before| format!(" (x{:.1})", column / before));
            let _ = write!(table, "{:>18}", format!("{column:.3} s{growth}"));
            before = Some(*column);
        }
    }
    println!("{table}\n");
}

fn measured(catalog: &Catalog, directory: &Path, url: &str) -> [f64; ROWS.len()] {
    let file = |name: &str| directory.join(name);
    fs::write(file("catalog.toml"), &catalog.text).expect("the catalog is written");
    let renamed = catalog
        .text
        .replacen("owner = \"team\"", "owner = \"another\"", 1);
    fs::write(file("renamed.toml"), renamed).expect("the catalog is written");
    private::write(&file("sealing.key"), [7; 32]);
    let settings = format!(
        "issuer = \"https://auth.example\"\ndatabase_url = \"{url}\"\n\
         [public]\nlisten = \"127.0.0.1:0\"\n[sealing]\nkey_file = \"sealing.key\"\n"
    );
    fs::write(file("grantd.toml"), settings).expect("the settings are written");
    seconds(directory, &["migrate"]);
    [
        seconds(directory, &["apply", "catalog.toml"]),
        seconds(directory, &["apply", "catalog.toml"]),
        seconds(directory, &["apply", "renamed.toml"]),
        seconds(directory, &["credential", "add-secret", "client-2"]),
        seconds(directory, &["credential", "retire", &catalog.credential]),
        seconds(directory, &["export"]),
        seconds(directory, &["client", "list"]),
    ]
}

fn seconds(directory: &Path, arguments: &[&str]) -> f64 {
    let began = Instant::now();
    let done = Command::new(GRANTD)
        .args(arguments)
        .current_dir(directory)
        .env("GRANTD_CONFIG", "grantd.toml")
        .env("GRANTD_LOG", "error")
        .stdout(Stdio::null())
        .status()
        .expect("grantd runs");
    assert!(done.success(), "{arguments:?}");
    began.elapsed().as_secs_f64()
}

/// A schema of its own, with nothing in it, in the database at `url`.
fn schema(url: &str) -> String {
    let name = format!("b_{}", random::token_id().replace('-', "_").to_lowercase());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut connection = sqlx::PgConnection::connect(url)
            .await
            .expect("Postgres answers");
        let create = format!("CREATE SCHEMA \"{name}\"");
        let create = sqlx::raw_sql(sqlx::AssertSqlSafe(create));
        create
            .execute(&mut connection)
            .await
            .expect("a schema is made");
    });
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-c%20search_path%3D{name}")
}

struct Catalog {
    size: usize,
    text: String,
    /// One of its secrets.
    credential: String,
}

impl Catalog {
    fn of(size: usize) -> Self {
        let mut text = String::from("[[audience]]\nid = \"pricing\"\nscopes = [\"read\"]\n");
        let mut credential = String::new();
        for n in 0..size {
            let _ = write!(
                text,
                "\n[[client]]\nid = \"client-{n}\"\nowner = \"team\"\n"
            );
            if n % 2 == 0 {
                let id = random::credential_id();
                let hash = hash_generated(&random::generated_secret(&id)).expect("a hash");
                credential = id.to_string();
                let _ = writeln!(text, "auth = \"client_secret_basic\"");
                let _ = writeln!(
                    text,
                    "secrets = [{{ id = \"{id}\", value = \"{}\" }}]",
                    hash.phc
                );
            } else {
                let key = generate(SigningAlgorithm::Es256).expect("a key");
                let jwk = key.public_jwk.to_json(&key.kid, SigningAlgorithm::Es256);
                let _ = writeln!(text, "auth = \"private_key_jwt\"\njwks = ['{jwk}']");
            }
            text.push_str("  [[client.policy]]\n  audience = \"pricing\"\n  scopes = [\"read\"]\n");
        }
        Self {
            size,
            text,
            credential,
        }
    }
}
