//! The battery of `grantd dev` against the example: it takes all of `accept`, and refuses all of `refuse` with the status
//! that is due, a challenge, and without repeating the token.

use serde_json::Value;

use super::Api;
use crate::control::request;
use crate::place::{Dev, Place};

/// A `grantd dev`, and how its pricing API is started and verified.
struct Site {
    place: Place,
    dev: Dev,
}

impl Site {
    fn start(arguments: &[&str]) -> Self {
        let place = Place::new();
        let dev = place.dev(&[&["--data", "data"], arguments].concat());
        Self { place, dev }
    }

    fn api(&self, audience: &str, more: &[&str]) -> Api {
        let issuer = self.dev.url("issuer");
        let usual = [
            "--issuer",
            issuer,
            "--audience",
            audience,
            "--scope",
            "pricing:read",
        ];
        Api::start(&[&usual, more].concat())
    }

    fn file(&self, name: &str) -> String {
        self.place
            .path(&format!("data/{name}"))
            .display()
            .to_string()
    }

    /// `grantd verify-api` has nothing to say about it.
    #[track_caller]
    fn verify(&self, url: &str, audience: &str, more: &[&str]) {
        let usual = [
            "verify-api",
            url,
            "--audience",
            audience,
            "--scope",
            "pricing:read",
            "--report",
            "json",
            "--control",
            self.dev.url("control"),
        ];
        let ended = self.place.run(&[&usual, more].concat());
        assert_eq!(ended.code, Some(0), "{more:?}: {ended:?}");
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        for row in report["results"].as_array().unwrap() {
            assert_eq!(row["verdict"], "ok", "{more:?}: {row}");
        }
    }
}

/// An API that asks the issuer about each token.
const ASKING: [&str; 4] = [
    "--introspect-as",
    "pricing-api",
    "--introspection-secret",
    "pricing-demo-secret",
];

#[test]
fn each_entry_gets_the_status_that_is_due() {
    let site = Site::start(&[]);
    let control = site.dev.url("control");
    for (asking, introspects) in [(&[][..], ""), (&ASKING, "&introspects=true")] {
        let api = site.api("pricing-api", asking);
        for binding in [
            String::new(),
            format!("&binding=dpop&url={}%2Fdocuments", api.origin()),
        ] {
            let query = format!("audience=pricing-api&scope=pricing%3Aread{binding}{introspects}");
            let (status, _, battery) =
                request(control, &format!("GET /_test/tokens?{query}"), "", "");
            assert_eq!(status, 200, "{battery}");
            let list = |name: &str| battery[name].as_array().unwrap().clone();
            let (accept, refuse) = (list("accept"), list("refuse"));
            assert!(accept.len() > 5 && refuse.len() > 37);
            for entry in accept.iter().chain(&refuse) {
                let headers = entry["headers"].as_object().unwrap().iter();
                let headers: Vec<(&str, &str)> = headers
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                    .collect();
                let answer = api.call("GET /documents", &headers, "");
                let due = &entry["status"];
                let is_due = |it: &Value| *it == answer.status;
                let is_right = due
                    .as_array()
                    .map_or_else(|| is_due(due), |list| list.iter().any(is_due));
                assert!(
                    is_right,
                    "{} {query}: {} {}",
                    entry["name"],
                    answer.status,
                    api.last_reason()
                );
                assert_eq!(
                    answer.challenges.is_empty(),
                    answer.status == 200,
                    "{}",
                    entry["name"]
                );
            }
        }
    }
}

#[test]
fn it_passes_whole_as_a_bearer_api() {
    let site = Site::start(&[]);
    let api = site.api("pricing-api", &[]);
    site.verify(&api.url(), "pricing-api", &[]);
    let api = site.api("pricing-api", &ASKING);
    site.verify(&api.url(), "pricing-api", &["--introspects"]);
}

#[test]
fn it_passes_whole_with_proofs() {
    let site = Site::start(&[]);
    let api = site.api("pricing-api", &[]);
    site.verify(&api.url(), "pricing-api", &["--dpop"]);
    let api = site.api("pricing-api", &ASKING);
    site.verify(&api.url(), "pricing-api", &["--dpop", "--introspects"]);
}

#[test]
fn it_passes_whole_with_client_certificates() {
    let site = Site::start(&[]);
    let (certificate, key, ca) = (
        site.file("server.pem"),
        site.file("server.key"),
        site.file("ca.pem"),
    );
    let tls = ["--tls-certificate", &certificate, "--tls-key", &key];
    for (asking, introspects) in [(&[][..], &[][..]), (&ASKING, &["--introspects"])] {
        let api = site.api("pricing-api", &[&tls, asking].concat());
        let url = api.url().replace("http://", "https://");
        site.verify(
            &url,
            "pricing-api",
            &[&["--mtls", "--ca-file", &ca], introspects].concat(),
        );
        site.verify(
            &url,
            "pricing-api",
            &[&["--dpop", "--ca-file", &ca], introspects].concat(),
        );
    }
}

#[test]
fn it_passes_whole_with_every_algorithm() {
    let place = Place::new();
    let algorithms = ["EdDSA", "RS256", "PS256"];
    let audience = |algorithm: &str| {
        format!(
            "[[audience]]\nid = \"{algorithm}\"\nscopes = [\"pricing:read\"]\nalgorithm = \"{algorithm}\"\n"
        )
    };
    let policy = |algorithm: &str| {
        format!("[[client.policy]]\naudience = \"{algorithm}\"\nscopes = [\"pricing:read\"]\n")
    };
    let client = "[[client]]\nid = \"shop\"\nsecret = \"a secret of the shop\"\n";
    let catalog = [
        algorithms.map(audience).concat(),
        client.to_owned(),
        algorithms.map(policy).concat(),
    ];
    place.write("my.toml", &catalog.concat());
    let dev = place.dev(&["--catalog", "my.toml"]);
    let site = Site { place, dev };
    for algorithm in algorithms {
        let api = site.api(algorithm, &[]);
        site.verify(&api.url(), algorithm, &[]);
    }
}
