//! What administration costs beside many clients: `cargo bench --bench administration`.
//!
//! A catalog of 1,000, 10,000 and 100,000 clients (or of the numbers that follow `--`), half of them with the hash of a
//! generated secret, as `export` writes it, and half with a key, on SQLite and, where `TEST_POSTGRES_URL` is set, on
//! Postgres. Each figure is one run of the binary, its start included. The aims: `apply` of 100,000 clients under a
//! minute, one that changes one of them under ten seconds, a command on one client under 100 ms, the answer to each
//! question of a review (OPERATING section 7) under five seconds, and growth no faster than the number of clients.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/many_clients.rs"]
mod many_clients;
#[path = "support/private.rs"]
mod private;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use many_clients::{Catalog, add_past, schema};

/// The grantd of this build.
const GRANTD: &str = env!("CARGO_BIN_EXE_grantd");
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// What administrators do, in this order.
const WORK: [(&str, &str); 6] = [
    ("first apply", "apply catalog.toml"),
    ("apply without a change", "apply catalog.toml"),
    ("apply that changes one", "apply renamed.toml"),
    ("credential add-secret", "credential add-secret client-2"),
    ("credential retire", "credential retire CREDENTIAL"),
    ("export", "export"),
];
/// What a review asks, of clients that have had tokens and were refused some.
const QUESTIONS: [&str; 13] = [
    "client list",
    "client show client-2",
    "policy list --client client-2",
    "policy list --audience pricing",
    "credential list client-2",
    "credential list --expiring 30d",
    "credential list --unused 90d",
    "credential list --never-rotated",
    "usage --client client-2",
    "usage",
    "audit --client client-2",
    "audit --action client_changed",
    "audit --since 24h",
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
    let columns: Vec<Vec<f64>> = catalogs
        .iter()
        .map(|catalog| measured(catalog, directory, &url(catalog.size)))
        .collect();
    let mut table = format!("{name:<32}");
    for catalog in catalogs {
        let _ = write!(table, "{:>18}", catalog.size);
    }
    let titles = WORK.iter().map(|(title, _)| title).chain(&QUESTIONS);
    for (row, title) in titles.enumerate() {
        let _ = write!(table, "\n{title:<32}");
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

fn measured(catalog: &Catalog, directory: &Path, url: &str) -> Vec<f64> {
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
    seconds(directory, "migrate");
    let work = WORK.iter().map(|(_, command)| {
        let command = command.replace("CREDENTIAL", &catalog.credential);
        seconds(directory, &command)
    });
    let mut measured: Vec<f64> = work.collect();
    add_past(url);
    measured.extend(QUESTIONS.iter().map(|command| seconds(directory, command)));
    measured
}

fn seconds(directory: &Path, command: &str) -> f64 {
    let began = Instant::now();
    let done = Command::new(GRANTD)
        .args(command.split(' '))
        .current_dir(directory)
        .env("GRANTD_CONFIG", "grantd.toml")
        .env("GRANTD_LOG", "error")
        .stdout(Stdio::null())
        .status()
        .expect("grantd runs");
    assert!(done.success(), "{command}");
    began.elapsed().as_secs_f64()
}
