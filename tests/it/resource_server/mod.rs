//! The example `resource_server`, run as the API that tokens are for.

mod battery;
mod binding;
mod certificate;
mod errors;
mod exchange;
mod fapi2;
mod instances;
mod issuer;
mod keys;
mod proof;
mod tokens;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Server, eventually};

/// What the issuers of these tests call the API.
const AUDIENCE: &str = "archive-api";

/// A running API.
pub(crate) struct Api {
    server: Server,
    address: SocketAddr,
    _directory: TempDir,
}

/// What it answers.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// The values of `WWW-Authenticate`.
    challenges: Vec<String>,
    retry_after: Option<String>,
    body: String,
}

/// The example, built as it is now: for an example with tests beside the code, `cargo test` builds those only.
fn built() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside = Path::new(env!("CARGO_BIN_EXE_grantd")).parent().unwrap();
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args([
            "build",
            "--quiet",
            "--locked",
            "--example",
            "resource_server",
        ]);
        command.arg("--target-dir").arg(beside.parent().unwrap());
        if beside.ends_with("release") {
            command.arg("--release");
        }
        let status = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "the example is not built");
        beside.join("examples/resource_server")
    })
}

impl Api {
    /// For tokens of `issuer`.
    fn for_issuer(issuer: &str) -> Self {
        Self::with_options(issuer, &[])
    }

    fn with_options(issuer: &str, more: &[&str]) -> Self {
        let usual = [
            "--issuer",
            issuer,
            "--audience",
            AUDIENCE,
            "--scope",
            "archive:read",
        ];
        Self::start(&[&usual, more].concat())
    }

    /// On a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(built());
        for name in [
            "API_ISSUER",
            "API_AUDIENCE",
            "API_SCOPE",
            "API_CLIENTS",
            "API_URL",
            "API_INTROSPECT_AS",
            "API_INTROSPECTION_SECRET",
        ] {
            command.env_remove(name);
        }
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        // All that it and its libraries could say.
        command.env("RUST_LOG", "trace");
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start(&mut command, &directory.path().join("log"));
        let mut address = None;
        eventually("the API listens", || {
            let log = server.log();
            let found = log.split_once("listening address=").and_then(|(_, rest)| {
                rest.split_once(' ')
                    .and_then(|(address, _)| address.parse().ok())
            });
            address = found;
            found.is_some()
        });
        Self {
            server,
            address: address.unwrap(),
            _directory: directory,
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn url(&self) -> String {
        format!("{}/documents", self.origin())
    }

    /// Reads with this value of `Authorization`.
    fn read(&self, authorization: &str) -> Answer {
        self.call("GET /documents", &[("Authorization", authorization)], "")
    }

    fn bearer(&self, token: &str) -> Answer {
        self.read(&format!("Bearer {token}"))
    }

    fn call(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        exchange(&mut stream, line, headers, body)
    }

    /// Why it denied the last request, from its log.
    fn last_reason(&self) -> String {
        let log = self.server.log();
        let (_, rest) = log.rsplit_once("reason=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Refused as RFC 6750 has it for a token that is no good, for this reason alone.
    #[track_caller]
    fn assert_invalid(&self, answer: &Answer, reason: &str) {
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(
            answer.challenges,
            [r#"Bearer realm="documents", error="invalid_token""#]
        );
        assert_eq!(self.last_reason(), reason);
    }

    /// None of its log lines holds any of these tokens, or its signature alone.
    #[track_caller]
    fn assert_secret(&self, tokens: &[&str]) {
        let log = self.server.log();
        for token in tokens {
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!log.contains(part), "{part} in {log}");
            }
        }
    }
}

/// One request over a connection of its own.
fn exchange(
    stream: &mut (impl Read + Write),
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let length = body.len();
    let mut request = vec![format!(
        "{line} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n"
    )];
    request.push(format!("Content-Length: {length}\r\n"));
    request.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n")),
    );
    request.push(format!("\r\n{body}"));
    stream.write_all(request.concat().as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let all = |name: &str| -> Vec<String> {
        head.lines()
            .filter_map(|line| line.strip_prefix(name).map(str::to_owned))
            .collect()
    };
    let (challenges, retry_after) = (all("www-authenticate: "), all("retry-after: ").pop());
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        challenges,
        retry_after,
        body: body.to_owned(),
    }
}
