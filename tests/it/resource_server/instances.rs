//! Two installations with the same clients, audiences, secrets and sealing key: what one of them says counts nowhere at
//! the other.

use std::net::SocketAddr;

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::Api;
use crate::assertion::signer::{Key, TYPE};
use crate::catalogs::{by_key, reads};
use crate::harness::decoded;
use crate::process::{access_token, eventually, request};
use crate::serve::{Platform, Replica, SECRET};

/// One installation, whose issuer is where it listens.
struct Instance<'p> {
    platform: &'p Platform,
    replica: Replica,
    issuer: String,
}

impl<'p> Instance<'p> {
    fn start(platform: &'p Platform, name: &str) -> Self {
        let mut issuer = String::new();
        let replica = platform.replica_by(&format!("{name}.log"), |command| {
            let listen = command
                .get_envs()
                .find(|(it, _)| *it == "GRANTD_PUBLIC__LISTEN");
            issuer = format!("http://{}", listen.unwrap().1.unwrap().to_str().unwrap());
            command.env("GRANTD_ISSUER", &issuer);
        });
        eventually("the replica is ready", || replica.is_ready());
        Self {
            platform,
            replica,
            issuer,
        }
    }

    fn token(&self) -> String {
        let (status, answer) = self.replica.token();
        assert_eq!(status, 200, "{answer}");
        access_token(&answer)
    }

    fn post(&self, path: &str, form: &str) -> (u16, String) {
        let public: SocketAddr = self.replica.public;
        request(public, &format!("POST {path}"), form).unwrap()
    }

    /// The status that a client with `key` gets for an assertion that is meant for `issuer`.
    fn asserted(&self, key: &Key, issuer: &str) -> u16 {
        let now = Clock::system().now().unix();
        let assertion = key.sign(&json!({
            "iss": "worker", "sub": "worker", "aud": issuer, "iat": now, "exp": now + 60,
            "jti": uuid::Uuid::new_v4().to_string(),
        }));
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"
        );
        self.post("/oauth2/token", &form).0
    }
}

/// A database with the usual clients, and `worker` with `key`.
async fn platform(key: &Key) -> Platform {
    let platform = Platform::new().await;
    let file = platform.path("catalog.toml");
    let worker = by_key("worker", json!({ "keys": [key.jwk()] }), &reads("pricing"));
    let catalog = std::fs::read_to_string(&file).unwrap() + &worker;
    std::fs::write(file, catalog).unwrap();
    platform.done(&["migrate"]);
    platform.apply();
    platform
}

/// That `staging` and `production` take nothing from each other, nor does an API that trusts `production` take a token of
/// `staging`, which it refuses for `reason`.
fn assert_strangers(staging: &Instance<'_>, production: &Instance<'_>, key: &Key, reason: &str) {
    let api = Api::start(&[
        "--issuer",
        &production.issuer,
        "--audience",
        "pricing",
        "--scope",
        "read",
    ]);
    let (here, there) = (production.token(), staging.token());
    assert_eq!(decoded(&there).1["iss"], staging.issuer.as_str());
    assert_eq!(api.bearer(&here).status, 200);
    api.assert_invalid(&api.bearer(&there), reason);
    for (one, own, foreign, other) in [
        (production, &here, &there, staging),
        (staging, &there, &here, production),
    ] {
        assert!(one.replica.introspects(own));
        assert!(!one.replica.introspects(foreign));
        // Who revokes it at the wrong one is told what he is told of any unknown token.
        let form = format!("token={foreign}&client_id=reader&client_secret={SECRET}");
        assert_eq!(one.post("/oauth2/revoke", &form).0, 200);
        assert!(other.replica.introspects(foreign));
        assert_eq!(one.asserted(key, &other.issuer), 401);
        assert_eq!(one.asserted(key, &one.issuer), 200);
    }
}

#[tokio::test]
async fn staging_is_a_stranger_to_production_on_one_server_with_one_sealing_key() {
    let key = Key::new(SigningAlgorithm::Es256);
    let (one, other) = (platform(&key).await, platform(&key).await);
    let (staging, production) = (
        Instance::start(&one, "staging"),
        Instance::start(&other, "production"),
    );
    assert_strangers(&staging, &production, &key, "none of the issuer's keys");
    // What is stopped here goes on there.
    let token = production.token();
    staging.platform.done(&["client", "disable", "reader"]);
    eventually("the client is refused", || staging.replica.token().0 == 401);
    assert!(production.replica.introspects(&token));
    assert_eq!(production.replica.token().0, 200);
}

/// As after a restore of production's backup at staging: both have the same signing keys, and `iss` alone tells them
/// apart.
#[tokio::test]
async fn staging_is_a_stranger_to_production_with_the_same_signing_keys() {
    let key = Key::new(SigningAlgorithm::Es256);
    let one = platform(&key).await;
    let (staging, production) = (
        Instance::start(&one, "staging"),
        Instance::start(&one, "production"),
    );
    let kids = [&staging, &production].map(|it| decoded(&it.token()).0["kid"].clone());
    assert_eq!(kids[0], kids[1]);
    assert_strangers(&staging, &production, &key, "another issuer");
}
