//! Does what README.md and the pages in docs tell to do, as printed, from top to bottom.
//!
//! A `toml` block is read as settings or catalog, and kept under the name in its first line, or added to such a file.
//! A `sh` block runs in one directory for all. Of a `console` block `grantd dev`, `grantd serve` and the example API are
//! started, on free ports in place of 8080, 8443 and 8090; other commands of grantd are run, with the id of a credential
//! that is there; and what others programs do, another test runs (`pages.rs`). A `text` block is what the block before it
//! prints. A block in a programming language, and those of docs/verify.md, are what a client of tests/e2e or the example
//! of a kit runs, and a proxy's is run there.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::config::settings::Settings;

use crate::harness::Database;
use crate::page_block::{Block, blocks};
use crate::page_code::{check_that_a_client_runs, check_that_a_proxy_runs};
use crate::page_output::check_output;
use crate::pages::is_run_elsewhere;
use crate::place::{Dev, Ended, Place, ended};
use crate::process::{Server, eventually, free_port};
use crate::resource_server::Api;
use crate::source_tree::root;

pub(crate) const PAGES: [&str; 20] = [
    "README.md",
    "docs/production.md",
    "docs/audit.md",
    "docs/running.md",
    "docs/kubernetes.md",
    "docs/monitoring.md",
    "docs/proxies.md",
    "docs/dpop.md",
    "docs/fapi2.md",
    "docs/opaque-tokens.md",
    "docs/token-exchange.md",
    "docs/private-key-jwt.md",
    "docs/mutual-tls.md",
    "docs/verify.md",
    "docs/packages.md",
    "docs/testing.md",
    "docs/testing-recipes.md",
    "docs/testing-ci.md",
    "CONTRIBUTING.md",
    // The last: it replaces the sealing key of the pages.
    "docs/keys.md",
];
/// Those whose YAML is the settings of a Spring application.
const SPRING: [&str; 2] = ["README.md", "docs/verify.md"];
/// The URL of the pages' server.
const SERVER: &str = "http://localhost:8080";
/// Where the pages' server is steered, and the flag that says so; here it is another port.
const CONTROL: &str = "http://127.0.0.1:8081";
const AT_CONTROL: &str = "127.0.0.1:8081";
/// The URL of the pages' API, with TLS and without, and how it is started.
const API: &str = "http://localhost:8090";
const API_WITH_TLS: &str = "https://localhost:8090";
const START_API: &str = "cargo run --example resource_server -- ";
/// The operations listener of the pages' server.
const OPERATIONS: &str = "http://127.0.0.1:9090";
/// The host of the pages' issuer.
const HOST: &str = "auth.internal.example";
/// The database of the pages' settings.
const DATABASE: &str = "postgres://grantd@db.internal/grantd";

/// The one who reads the pages and does what they say.
pub(crate) struct Reader {
    pub(crate) place: Place,
    pub(crate) database: Database,
    dev: Option<Dev>,
    /// The port for the control listener, which a catalog may name before there is one.
    control_port: u16,
    serve: Option<Server>,
    /// Where `grantd serve` listens.
    pub(crate) public: Option<SocketAddr>,
    /// The URL of its operations listener.
    operations: Option<String>,
    /// The client whose credentials were listed last.
    listed: Option<String>,
    api: Option<Api>,
}

impl Reader {
    /// Who has a database and a certificate, and nothing else.
    pub(crate) fn new(database: Database) -> Self {
        let place = Place::new();
        // Where curl looks for its settings.
        let home = place.path("");
        place.write("variables", &format!("CURL_HOME='{}'\n", home.display()));
        place.write("database-url", DATABASE);
        // A site has its certificate before it serves.
        fs::create_dir(place.path("tls")).unwrap();
        for (name, file) in [
            ("server.pem", "first.certificate.pem"),
            ("server.key", "first.key.pem"),
        ] {
            let from = root().join("src/server/tls/testdata").join(file);
            fs::copy(from, place.path("tls").join(name)).unwrap();
        }
        Self {
            place,
            database,
            dev: None,
            control_port: free_port(),
            serve: None,
            public: None,
            operations: None,
            listed: None,
            api: None,
        }
    }

    /// Does what a block says; gives what it printed.
    pub(crate) fn take(&mut self, block: &Block) -> String {
        match block.language.as_str() {
            "toml" => self.keep_and_read(block),
            "sh" => return self.run(block),
            "console" => {
                for line in block.text.lines() {
                    self.type_in(line.strip_prefix("$ ").expect("a prompt"), &block.at);
                }
            }
            "yaml" if SPRING.iter().any(|page| block.at.starts_with(page)) => {
                check_that_a_client_runs(block, &["yaml"]);
            }
            "json" | "yaml" => {
                // Either is YAML.
                let read = serde_saphyr::from_str::<serde_json::Value>(&block.text);
                assert!(read.is_ok(), "{}: {read:?}", block.at);
            }
            // What a program prints.
            "" => {}
            "haproxy" | "nginx" => check_that_a_proxy_runs(block),
            "python" => check_that_a_client_runs(block, &["py"]),
            "javascript" => check_that_a_client_runs(block, &["mjs", "js"]),
            "rust" => check_that_a_client_runs(block, &["rs"]),
            language @ ("go" | "java" | "properties") => {
                check_that_a_client_runs(block, &[language]);
            }
            other => panic!("{}: a block of {other:?} is not tested", block.at),
        }
        String::new()
    }

    /// What `grantd serve` wrote.
    pub(crate) fn serve_log(&self) -> String {
        self.serve.as_ref().map(Server::log).unwrap_or_default()
    }

    fn keep_and_read(&self, block: &Block) {
        let mut text = block.text.replace(DATABASE, &self.database.url);
        let first = block
            .text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "));
        if let Some(name) = first.and_then(|first| first.strip_prefix("added to ")) {
            text.insert_str(0, &fs::read_to_string(self.place.path(name)).unwrap());
            self.place.write(name, &text);
        } else if let Some(name) = first {
            self.place.write(name, &text);
        }
        let secret = |_: &str| Some("a secret of the environment".to_owned());
        let fault = if text.contains("\nissuer = ") {
            let document = Some((block.at.as_str(), text.as_str()));
            let environment = std::iter::empty::<(String, String)>();
            Settings::parse(document, &self.place.path(""), environment).err()
        } else {
            let options = CatalogOptions {
                base: self.place.path(""),
                ..CatalogOptions::dev(&secret)
            };
            Catalog::parse(&block.at, &text, &options).err()
        };
        assert!(fault.is_none(), "{}", fault.unwrap());
    }

    /// Runs a block in a shell, with the variables of the blocks before it.
    fn run(&mut self, block: &Block) -> String {
        let mut last = block.text.lines().rev();
        let listed = last.find_map(|line| line.strip_prefix("grantd credential list "));
        if let Some(client) = listed.and_then(|line| line.split(' ').next()) {
            self.listed = Some(client.to_owned());
        }
        let ended = self.run_lines(&block.text, &block.at);
        match &block.prints {
            Some(told) => assert_eq!(&ended.stdout, told, "{}: {ended:?}", block.at),
            None => check_output(block, &ended),
        }
        ended.stdout
    }

    /// As [`Self::run`], of lines that stand at `at`, or nowhere.
    pub(crate) fn run_lines(&self, text: &str, at: &str) -> Ended {
        let text = self.with_real_urls(text);
        self.place.write(
            "block",
            &format!("set -aeu\n. ./variables\n{text}\nexport -p >variables\n"),
        );
        let ended = ended(self.place.command("sh").arg("block"));
        assert_eq!(ended.code, Some(0), "{at}: {ended:?}");
        ended
    }

    fn with_real_urls(&self, text: &str) -> String {
        let text = text.replace(DATABASE, &self.database.url).replace(
            SERVER,
            self.dev.as_ref().map_or(SERVER, |dev| dev.url("issuer")),
        );
        let text = text.replace(CONTROL, &self.control());
        let Some(api) = &self.api else {
            return text;
        };
        let origin = api.origin();
        let (_, port) = origin.rsplit_once(':').unwrap();
        text.replace(API, &origin)
            .replace(API_WITH_TLS, &format!("https://localhost:{port}"))
    }

    /// The URL of the control listener of `grantd dev`, also before that is started.
    pub(crate) fn control(&self) -> String {
        let running = self.dev.as_ref();
        let control = running.and_then(|dev| dev.member("control").as_str());
        let known = || format!("http://127.0.0.1:{}", self.control_port);
        control.map_or_else(known, str::to_owned)
    }

    /// The `grantd dev` that runs.
    pub(crate) fn dev(&self) -> &Dev {
        self.dev.as_ref().expect("grantd dev was started")
    }

    fn type_in(&mut self, line: &str, at: &str) {
        if let Some(arguments) = line.strip_prefix(START_API) {
            self.start_api(arguments);
            return;
        }
        let line = line
            .replace("cargo run --release -- ", "grantd ")
            .replace("cargo run -- ", "grantd ");
        let Some(arguments) = line.strip_prefix("grantd ") else {
            assert!(is_run_elsewhere(&line), "{at}: nothing runs {line}");
            return;
        };
        let mut arguments: Vec<&str> = arguments.split(' ').collect();
        let id = self.listed_first(&arguments);
        match arguments.as_mut_slice() {
            ["dev", rest @ ..] => self.start_dev(rest),
            ["serve", ..] => self.start(&arguments),
            ["audit", "--follow", ..] => self.follow(&arguments),
            ["health", url] if *url == OPERATIONS => {
                let url = self.operations.clone().expect("a server runs");
                self.place.done(&["health", &url]);
            }
            // What it judges is a file of the reader's own: tests/it/explain brings some.
            ["explain", flag, ..] if flag.starts_with("--") => {
                self.place.done(&[&arguments[..], &["--help"]].concat());
            }
            ["explain", named, ..] if missing(&["curl"]).is_empty() => {
                let refused = self.refused();
                *named = &refused;
                eventually("the refusal is explained", || {
                    self.place.run(&arguments).code == Some(1)
                });
            }
            // Without curl nobody is refused.
            ["explain", ..] => {}
            ["credential", "retire", named, ..] => {
                *named = id.as_deref().unwrap();
                self.place.done(&arguments);
            }
            _ => _ = self.place.done(&arguments),
        }
    }

    /// Its files are those of the pages.
    fn start_api(&mut self, arguments: &str) {
        let arguments = self.with_real_urls(arguments);
        let with_path = |word: &str| match self.place.path(word) {
            file if file.is_file() => file.display().to_string(),
            _ => word.to_owned(),
        };
        let arguments: Vec<String> = arguments.split(' ').map(with_path).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.api = None;
        self.api = Some(Api::start(&arguments));
    }

    /// The credential that a page means by the id that it retires: the first of the client whose list it showed last.
    fn listed_first(&self, arguments: &[&str]) -> Option<String> {
        let ["credential", "retire", _, target @ ..] = arguments else {
            return None;
        };
        let client = self.listed.as_deref().expect("a list before it");
        let list = ["credential", "list", client, "--output", "json"];
        let rows = self.place.json(&[&list, target].concat());
        Some(rows[0]["id"].as_str().unwrap().to_owned())
    }

    /// The id of a request that `grantd serve` refuses.
    fn refused(&self) -> String {
        let url = format!("https://{HOST}/oauth2/token");
        let home = self.place.path("");
        let sent = ["-u", "reports:wrong", "-d", "grant_type=client_credentials"];
        let shown = ["--silent", "--insecure", "--include"];
        let answer = ended(
            self.place
                .command("curl")
                .env("CURL_HOME", home)
                .args([&shown[..], &sent, &[&url]].concat()),
        );
        let mut lines = answer.stdout.lines();
        let id = lines.find_map(|line| line.strip_prefix("x-request-id: "));
        id.unwrap_or_else(|| panic!("{answer:?}")).trim().to_owned()
    }

    /// Until it is ended from outside: by itself it never ends.
    fn follow(&self, arguments: &[&str]) {
        let mut command = self.place.command("timeout");
        let ended = ended(command.args(["2", "grantd"]).args(arguments));
        assert_eq!(ended.code, Some(124), "{arguments:?}: {ended:?}");
    }

    /// The ready file that a page names is a copy of the one that we wait for. A control listener with an address is where
    /// the blocks before took it to be.
    fn start_dev(&mut self, arguments: &[&str]) {
        let here = self.control().replace("http://", "");
        self.dev = None;
        let (arguments, ready) = match arguments {
            [rest @ .., "--ready-file", name] => (rest, Some(name)),
            all => (all, None),
        };
        let arguments = arguments.iter();
        let arguments: Vec<&str> = arguments
            .map(|it| if *it == AT_CONTROL { &*here } else { it })
            .collect();
        self.dev = Some(self.place.dev(&arguments));
        if let Some(name) = ready {
            fs::copy(self.place.path("dev.ready"), self.place.path(name)).unwrap();
        }
    }

    /// Starts `grantd serve` on free ports, to which curl goes from here on for those of the pages.
    pub(crate) fn start(&mut self, arguments: &[&str]) {
        let [public, mutual, operations] = [(); 3].map(|()| free_port());
        let mut command = self.place.grantd(arguments);
        let settings = fs::read_to_string(self.place.path(arguments.last().unwrap())).unwrap();
        let listeners = [
            ("PUBLIC", public),
            ("MTLS", mutual),
            ("OPERATIONS", operations),
        ];
        let is_there = |name: &str| name != "MTLS" || settings.contains("[mtls]");
        for (name, port) in listeners.into_iter().filter(|it| is_there(it.0)) {
            command.env(
                format!("GRANTD_{name}__LISTEN"),
                format!("127.0.0.1:{port}"),
            );
        }
        self.serve = None;
        self.public = Some(SocketAddr::from(([127, 0, 0, 1], public)));
        self.operations = Some(format!("http://127.0.0.1:{operations}"));
        self.serve = Some(Server::start(&mut command, &self.place.path("serve.log")));
        let health = self.operations.clone().unwrap();
        eventually("grantd serve is ready", || {
            self.place.run(&["health", &health]).code == Some(0)
        });
        let go = |from, to| format!("connect-to = \"{HOST}:{from}:127.0.0.1:{to}\"\n");
        self.place.write(
            ".curlrc",
            &format!("{}{}", go(443, public), go(8444, mutual)),
        );
    }
}

/// Those of `programs` that are not there.
pub(crate) fn missing<'p>(programs: &[&'p str]) -> Vec<&'p str> {
    let place = Place::new();
    let is_there = |program: &str| place.command(program).arg("--version").output().is_ok();
    let programs = programs.iter().copied();
    programs.filter(|program| !is_there(program)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_the_readme_works_as_printed() {
    let database = Database::postgres().await;
    let mut reader = Reader::new(database);
    let missing = missing(&["curl", "openssl", "psql"]);
    for block in blocks(&PAGES) {
        match missing.iter().find(|program| block.needs(program)) {
            None => _ = reader.take(&block),
            // Not by a macro: those are kept back for tests that pass.
            Some(program) => {
                let at = &block.at;
                let _ = writeln!(
                    std::io::stderr(),
                    "{at}: NOT RUN, for there is no {program}"
                );
            }
        }
    }
}
