//! docs/workloads.md: its commands are run as printed, its catalog is served by a `grantd dev` that plays the platforms, and
//! what it shows for a platform runs beside servers that give tokens as that platform's own do.

mod platform;
mod platforms;

use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::control::{JSON, request};
use crate::harness::{Database, decoded};
use crate::page_block::{Block, blocks};
use crate::place::{Ended, ended, eventually};
use crate::readme::{Reader, missing};
use platform::Platform;
use platforms::{
    a_job_of_gitlab_gets_its_token, a_pod_gets_its_token, a_workflow_gets_its_token,
    everybody_is_himself_alone, what_is_typed_on_a_platform_works,
};

const PAGE: &str = "docs/workloads.md";
/// The page's issuer, and the file in its pods.
const ISSUER: &str = "https://auth.internal.example";
const TOKEN_FILE: &str = "/var/run/secrets/grantd/token";

/// What stands in the page's catalog for a platform, and the issuer that plays it. Those that `grantd dev` does not play
/// are somebody else with their claims.
const PLAYED: [(&str, &str, &str); 6] = [
    ("https://gitlab.com", "gitlab", "gitlab"),
    (
        "https://kubernetes.default.svc.cluster.local",
        "cluster",
        "kubernetes",
    ),
    (
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "azure",
        "gitlab",
    ),
    ("https://accounts.google.com", "google", "gitlab"),
    (
        "https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws",
        "aws",
        "gitlab",
    ),
    // Not the trust domain: where its bundle is.
    ("https://spire.internal.example/bundle", "mesh", "spiffe"),
];

/// The claims of a managed identity's token.
fn azure() -> Value {
    json!({ "issuer": "azure", "audience": "5f9a7b1e-27a8-4f5c-a3e6-0c1d2e3f4a5b", "claims": {
        "sub": "b6d12e07-7d1c-4c4c-9f53-9f4a5d1b7b52", "tid": "9188040d-6c67-4c5b-b112-36a304b66dad", "idtyp": "app",
    } })
}

/// Those of a service account's.
fn google() -> Value {
    json!({ "issuer": "google", "claims": {
        "sub": "103698487531834264419", "email": "reports@acme.iam.gserviceaccount.com", "email_verified": true,
    } })
}

/// Those of a role's.
fn aws() -> Value {
    json!({ "issuer": "aws", "claims": {
        "sub": "arn:aws:iam::123456789012:role/reports",
        "https://sts.amazonaws.com/": { "aws_account": "123456789012" },
    } })
}

struct Site {
    reader: Reader,
    platform: Platform,
}

impl Site {
    fn control(&self) -> String {
        self.reader.control()
    }

    /// A script of the page, with the server and the files of this test in the place of the page's.
    fn here(&self, text: &str) -> String {
        let file = self.reader.place.path("token");
        text.replace(ISSUER, self.reader.dev().url("issuer"))
            .replace(TOKEN_FILE, file.to_str().unwrap())
    }

    /// Runs a program with `text` in the file `name`; where it goes to the platform's servers, it comes to ours.
    #[track_caller]
    fn runs(&self, (program, name): (&str, &str), text: &str, variables: &[(&str, &str)]) -> Ended {
        self.reader.place.write(name, &self.here(text));
        let url = self.platform.url();
        let mut command = self.reader.place.command(program);
        command.arg(name).env("http_proxy", &url);
        command.env("no_proxy", "localhost,127.0.0.1");
        command.envs(variables.iter().copied());
        let ended = ended(&mut command);
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        ended
    }

    /// Whose access token the page's request gets by a platform's token.
    #[track_caller]
    fn client_by(&self, token: &str) -> Option<String> {
        self.reader.place.write("token.jwt", token.trim_end());
        let line = "sh ask.sh http://localhost:8080 token.jwt";
        // The first request waits two seconds for the issuer's keys, and a busy machine may need more.
        let answer = eventually("an answer", || {
            let ended = self.reader.run_lines(line, "ask.sh");
            let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
            (answer["error"] != "temporarily_unavailable").then_some(answer)
        });
        let issued = answer["access_token"].as_str();
        if issued.is_none() {
            assert_eq!(answer["error"], "invalid_client", "{answer}");
        }
        issued.map(client_of)
    }

    /// Makes the issuers that play the platforms.
    fn play(&self) {
        for (_, name, preset) in PLAYED {
            let body = json!({ "preset": preset }).to_string();
            let line = format!("PUT /_test/issuers/{name}");
            let (status, _, card) = request(&self.control(), &line, JSON, &body);
            assert_eq!(status, 200, "{card}");
        }
    }
}

/// The client of an access token.
fn client_of(token: &str) -> String {
    decoded(token).1["client_id"].as_str().unwrap().to_owned()
}

/// The page's own commands, in their order; what runs on platforms is left.
fn follow_the_page(reader: &mut Reader) {
    for block in blocks(&[PAGE]) {
        match block.language.as_str() {
            "toml" => _ = reader.take(&block),
            "console" if block.text.starts_with("$ grantd ") => _ = reader.take(&block),
            "sh" => check(&block, &reader.run_lines(&block.text, &block.at)),
            _ => {}
        }
        if block.text.contains("> laptop.toml") {
            let path = reader.place.path("laptop.toml");
            let mut catalog = fs::read_to_string(path).unwrap();
            for (url, name, preset) in PLAYED {
                assert_eq!(catalog.matches(&format!("{url}\"")).count(), 1, "{url}");
                let bundle = if preset == "spiffe" { "/jwks" } else { "" };
                let played = format!("{}/_test/issuers/{name}{bundle}", reader.control());
                catalog = catalog.replace(&format!("{url}\""), &format!("{played}\""));
            }
            reader.place.write("laptop.toml", &catalog);
        }
    }
}

/// Whether a block of the page gave what it is for.
fn check(block: &Block, ended: &Ended) {
    let told = &ended.stdout;
    if block.text.contains("grantd issuer test") {
        for part in [
            "fetched from",
            "RS256",
            "refs/heads/try, not refs/heads/main",
        ] {
            assert!(told.contains(part), "{part}: {ended:?}");
        }
    } else if block.text.contains("refused.jwt") {
        assert!(told.contains("\"invalid_client\""), "{ended:?}");
        assert!(
            told.contains("ref refs/heads/try, not refs/heads/main"),
            "{ended:?}"
        );
    } else if block.text.contains("token.jwt") {
        let answer: Value = serde_json::from_str(told).unwrap();
        assert_eq!(
            client_of(answer["access_token"].as_str().unwrap()),
            "deploy-prod"
        );
    } else if block.text.starts_with("curl -s -X PUT") {
        assert!(told.contains("\"jwks_uri\":"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_gets_its_token_as_the_page_says() {
    let missing = missing(&["curl", "jq", "sed"]);
    if !missing.is_empty() {
        let _ = writeln!(
            std::io::stderr(),
            "{PAGE}: NOT RUN, for there is no {missing:?}"
        );
        return;
    }
    let mut reader = Reader::new(Database::postgres().await);
    follow_the_page(&mut reader);
    let platform = Platform::start(reader.control());
    let site = Site { reader, platform };
    site.play();
    let blocks = blocks(&[PAGE]);
    everybody_is_himself_alone(&site);
    a_workflow_gets_its_token(&site, &blocks);
    a_job_of_gitlab_gets_its_token(&site, &blocks);
    a_pod_gets_its_token(&site, &blocks);
    what_is_typed_on_a_platform_works(&site, &blocks);
}
