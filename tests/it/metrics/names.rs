//! Every name of the contract is in a real scrape, and every name that the alerting rules and the dashboard use.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::harness::{READER, basic};
use crate::page_block::blocks;
use crate::process::{
    Server, eventually, finished, free_port, grantd, printed, request, request_with, token,
};
use crate::source_tree::root;

use super::*;

/// Every metric of OPERATING section 4 whose subject exists, with its labels.
const CONTRACT: [(&str, &[&str]); 40] = [
    (
        "grantd_token_requests_total",
        &["client", "audience", "grant", "method", "outcome"],
    ),
    (
        "grantd_introspection_requests_total",
        &["client", "outcome"],
    ),
    ("grantd_revocation_requests_total", &["client", "outcome"]),
    (
        "grantd_credential_uses_total",
        &["client", "credential", "kind"],
    ),
    (
        "grantd_request_duration_seconds_bucket",
        &["endpoint", "le"],
    ),
    ("grantd_request_duration_seconds_sum", &["endpoint"]),
    ("grantd_request_duration_seconds_count", &["endpoint"]),
    ("grantd_requests_in_flight", &["listener"]),
    ("grantd_connections", &["listener"]),
    ("grantd_hashing_waiting", &["queue"]),
    ("grantd_hashing_refused_total", &["queue"]),
    ("grantd_budget_refusals_total", &["budget"]),
    ("grantd_cache_requests_total", &["cache", "result"]),
    ("grantd_feed_age_seconds", &[]),
    ("grantd_feed_changes_total", &[]),
    (
        "grantd_signing_key_timestamp_seconds",
        &["kid", "algorithm", "event"],
    ),
    (
        "grantd_credential_expiry_timestamp_seconds",
        &["client", "credential", "kind"],
    ),
    ("grantd_certificate_expiry_timestamp_seconds", &["listener"]),
    ("grantd_key_sources", &["state"]),
    ("grantd_key_fetches_total", &["result"]),
    ("grantd_replay_batch_size_bucket", &["le"]),
    ("grantd_replay_batch_size_sum", &[]),
    ("grantd_replay_batch_size_count", &[]),
    ("grantd_used_assertions", &[]),
    ("grantd_database_up", &[]),
    ("grantd_database_errors_total", &[]),
    ("grantd_clock_offset_seconds", &[]),
    ("grantd_ready", &[]),
    ("grantd_signing_keys_unopened", &[]),
    ("grantd_wasted_tokens_total", &["client"]),
    ("grantd_reload_failures_total", &["what"]),
    ("grantd_last_reload_success_timestamp_seconds", &["what"]),
    ("grantd_log_lines_dropped_total", &[]),
    ("grantd_audit_events_suppressed_total", &[]),
    ("grantd_build_info", &["version"]),
    ("process_start_time_seconds", &[]),
    ("process_cpu_seconds_total", &[]),
    ("process_resident_memory_bytes", &[]),
    ("process_open_fds", &[]),
    ("process_max_fds", &[]),
];
/// The certificate of the mutual-TLS listener.
const CERTIFICATE: &str = "src/server/tls/testdata/first.certificate.pem";
const KEY: &str = "src/server/tls/testdata/first.key.pem";

/// A `grantd serve` that has answered a request of each kind.
struct Serving {
    _server: Server,
    operations: SocketAddr,
    directory: tempfile::TempDir,
}

impl Serving {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        crate::place::write_private(&path("sealing.key"), &[7; 32]);
        let expiring = format!(
            "secrets = [{{ value = \"env:SECRET\", expires_at = {} }}]",
            i64::from(u32::MAX)
        );
        let catalog = CATALOG
            .replace(&format!("secret = \"{READER}\""), &expiring)
            .replace(&format!("secret = \"{API}\""), "secret = \"env:SECRET\"");
        fs::write(path("catalog.toml"), catalog).unwrap();
        fs::write(path("ca.pem"), crate::mtls::ca_pem("metrics")).unwrap();
        for (name, from) in [("server.pem", CERTIFICATE), ("server.key", KEY)] {
            fs::copy(root().join(from), path(name)).unwrap();
        }
        let [public, mutual, operations] =
            [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let command = |arguments: &[&str]| {
            let mut command = grantd();
            let database = format!("sqlite://{}", path("grantd.db").display());
            command
                .args(arguments)
                .env("SECRET", READER)
                .env("GRANTD_ISSUER", "http://127.0.0.1:8080")
                .env("GRANTD_DATABASE_URL", database)
                .env("GRANTD_SEALING__KEY_FILE", path("sealing.key"))
                .env("GRANTD_PUBLIC__LISTEN", public.to_string())
                .env("GRANTD_OPERATIONS__LISTEN", operations.to_string())
                .env("GRANTD_MTLS__LISTEN", mutual.to_string())
                .env("GRANTD_MTLS__TLS_CERTIFICATE_FILE", path("server.pem"))
                .env("GRANTD_MTLS__TLS_KEY_FILE", path("server.key"))
                .env("GRANTD_MTLS__CLIENT_CA_FILES", path("ca.pem"));
            command
        };
        for arguments in [
            &["migrate"][..],
            &["apply", path("catalog.toml").to_str().unwrap()],
        ] {
            let output = finished(&mut command(arguments));
            assert!(output.status.success(), "{}", printed(&output));
        }
        let server = Server::start(&mut command(&["serve"]), &path("log"));
        let this = Self {
            _server: server,
            operations,
            directory,
        };
        eventually("it is ready", || {
            request(operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
        });
        ask(public);
        this
    }

    /// The body of a scrape; `accept` is what is asked for.
    fn scrape(&self, accept: &str) -> String {
        let line = format!("Accept: {accept}\r\n");
        let (status, answer) = request_with(self.operations, "GET /metrics", &line, "").unwrap();
        assert_eq!(status, 200, "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// As soon as the database was asked for what is shown of it.
    fn whole_scrape(&self) -> String {
        let mut text = String::new();
        eventually("the database was surveyed", || {
            text = self.scrape("");
            text.contains("\ngrantd_used_assertions ")
        });
        text
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

/// Tokens, one of them wasted, and a request to each other endpoint.
fn ask(public: SocketAddr) {
    let secret = READER.replace(' ', "+");
    let answers = [(); 2].map(|()| token(public, "reader", &secret).unwrap().1);
    let token = crate::process::access_token(&answers[0]);
    for (path, client) in [("introspect", "api"), ("revoke", "reader")] {
        let line = format!("Authorization: {}\r\n", basic(client, READER));
        let head = format!("POST /oauth2/{path}");
        let (status, answer) =
            request_with(public, &head, &line, &format!("token={token}")).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
}

/// The names of metrics in a text of ours, each with the labels that it is asked for by.
fn used_in(text: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let starts = text
        .match_indices("grantd_")
        .chain(text.match_indices("process_"));
    let used = starts
        .filter(|(at, _)| !text[..*at].ends_with(is_part))
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let selector = rest.strip_prefix('{').and_then(|it| it.split_once('}'));
            let labels = selector.map_or("", |(labels, _)| labels);
            let labels = labels
                .split(',')
                .filter_map(|label| label.split_once(['=', '!']));
            (
                name.to_owned(),
                labels.map(|(name, _)| name.trim().to_owned()).collect(),
            )
        });
    used.collect()
}

#[test]
fn a_real_scrape_has_every_name_that_we_promise_and_use() {
    let serving = Serving::start();
    let text = serving.whole_scrape();
    let scrape = Scrape::of(&text);
    for (name, labels) in CONTRACT {
        let expected: BTreeSet<String> = labels.iter().map(|it| (*it).to_owned()).collect();
        assert!(scrape.names().contains(name), "{name} is not in\n{text}");
        assert_eq!(scrape.labels(name), expected, "{name}");
    }
    for file in [
        "deploy/alerts.yml",
        "deploy/dashboard.json",
        "docs/monitoring.md",
    ] {
        let used = used_in(&fs::read_to_string(root().join(file)).unwrap());
        assert!(used.len() >= 10, "{file}: {used:?}");
        for (name, labels) in used {
            // A family whose subject never was has no series, but it is announced.
            let is_announced = text.contains(&format!("# TYPE {name} "));
            assert!(
                scrape.names().contains(&*name) || is_announced,
                "{file}: {name}"
            );
            let known = scrape.labels(&name);
            let of_scraper = ["instance".to_owned(), "job".to_owned()];
            for label in labels.iter().filter(|it| !of_scraper.contains(it)) {
                assert!(
                    known.contains(label) || is_announced && known.is_empty(),
                    "{file}: {name} {label}"
                );
            }
        }
    }
    for (listener, certificate) in [("public", false), ("mtls", true), ("operations", false)] {
        let of = |name: &str| scrape.get(&format!("{name}{{listener=\"{listener}\"}}"));
        assert!(of("grantd_connections").is_some(), "{listener}");
        let shown = of("grantd_certificate_expiry_timestamp_seconds").is_some();
        assert_eq!(shown, certificate, "{listener}");
    }
    let own = "grantd_requests_in_flight{listener=\"operations\"}";
    assert_eq!(scrape.get(own), Some(1.0), "the scrape itself");
}

#[test]
fn files_that_cannot_be_used_are_counted() {
    let serving = Serving::start();
    for (what, file) in [("certificate", "server.pem"), ("client_ca", "ca.pem")] {
        fs::write(serving.path(file), "none").unwrap();
        let failed = format!("grantd_reload_failures_total{{what=\"{what}\"}}");
        eventually("it is counted", || {
            Scrape::of(&serving.scrape("")).get(&failed) == Some(1.0)
        });
    }
}

/// A whole scrape, without its values: what dashboards rely on may change on purpose only.
#[test]
fn a_scrape_is_this() {
    let serving = Serving::start();
    let text = serving.whole_scrape();
    let is_of_system = |line: &&str| line.contains("process_") && !line.contains("start_time");
    let lines = text.lines().filter(|line| !is_of_system(line));
    let redacted: Vec<String> = lines.map(redacted).collect();
    insta::assert_snapshot!("scrape", redacted.join("\n"));
}

fn redacted(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let mut series = line.rsplit_once(' ').unwrap().0.to_owned();
    for label in ["kid", "credential", "version"] {
        let begin = format!("{label}=\"");
        if let Some((before, value)) = series.split_once(&begin) {
            let rest = value.split_once('"').unwrap().1;
            series = format!("{before}{begin}[{label}]\"{rest}");
        }
    }
    format!("{series} [value]")
}

/// Needs promtool, whose path is in `TEST_PROMTOOL`.
#[test]
#[ignore = "needs promtool: ./check looks for it"]
fn promtool_finds_no_fault_in_scrape_and_rules() {
    let program = std::env::var("TEST_PROMTOOL").expect("TEST_PROMTOOL is not set: run ./check");
    let serving = Serving::start();
    fs::write(serving.path("scrape"), serving.whole_scrape()).unwrap();
    let rules = root().join("deploy/alerts.yml");
    // As the page sets Prometheus up, whose paths are relative to its settings.
    let pages = blocks(&["docs/monitoring.md"]);
    let settings = pages.iter().find(|it| it.text.contains("scrape_configs:"));
    let settings = &settings.unwrap().text;
    assert!(settings.contains("\"deploy/alerts.yml\""));
    let settings = settings.replace("deploy/alerts.yml", rules.to_str().unwrap());
    fs::write(serving.path("prometheus.yml"), settings).unwrap();
    let settings = serving.path("prometheus.yml");
    for (arguments, input) in [
        (vec!["check", "config", settings.to_str().unwrap()], None),
        (vec!["check", "rules", rules.to_str().unwrap()], None),
        (vec!["check", "metrics"], Some(serving.path("scrape"))),
    ] {
        let input = input.map_or(Stdio::null(), |path| fs::File::open(path).unwrap().into());
        let output = Command::new(&program)
            .args(&arguments)
            .stdin(input)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            printed(&output)
        );
    }
}
