//! An API that caches the JWKS as long as it may, and reads it before that only for a kid that it does not know.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use grantd::clock::Clock;
use grantd::crypto::compact::CompactJws;
use grantd::crypto::jws::Verifier;
use grantd::crypto::public_jwk::PublicJwk;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::Value;

use crate::process::request;

pub(crate) struct CachingVerifier {
    servers: Vec<SocketAddr>,
    reads: usize,
    clock: Clock,
    /// When it read, and for how long it may keep what it read.
    read_at: Option<(Duration, Duration)>,
    keys: BTreeMap<String, Verifier>,
    /// How often it met a kid that its cache lacked.
    pub(crate) unknown: usize,
}

impl CachingVerifier {
    pub(crate) fn new(servers: &[SocketAddr]) -> Self {
        Self {
            servers: servers.to_vec(),
            reads: 0,
            clock: Clock::system(),
            read_at: None,
            keys: BTreeMap::new(),
            unknown: 0,
        }
    }

    /// From now on one server stands in the place of another.
    pub(crate) fn replace(&mut self, old: SocketAddr, new: SocketAddr) {
        for server in self.servers.iter_mut().filter(|it| **it == old) {
            *server = new;
        }
    }

    /// From one server after the other; one that is gone is passed over.
    fn read(&mut self) {
        let read_at = self.clock.monotonic();
        for _ in 0..self.servers.len() {
            let server = self.servers[self.reads % self.servers.len()];
            self.reads += 1;
            let Some((status, answer)) = request(server, "GET /oauth2/jwks", "") else {
                continue;
            };
            assert_eq!(status, 200, "{answer}");
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            self.read_at = Some((read_at, max_age(head)));
            let jwks: Value = serde_json::from_str(body).unwrap();
            self.keys = jwks["keys"].as_array().unwrap().iter().map(key).collect();
            return;
        }
        panic!("no server publishes its keys");
    }

    pub(crate) fn accepts(&mut self, token: &str) -> bool {
        let now = self.clock.monotonic();
        if self.read_at.is_none_or(|(at, age)| now > at + age) {
            self.read();
        }
        let jws = CompactJws::parse(token).unwrap();
        let kid = jws.kid().unwrap();
        if !self.keys.contains_key(kid) {
            self.unknown += 1;
            self.read();
        }
        let key = self.keys.get(kid);
        key.is_some_and(|key| key.verify(jws.signing_input(), jws.signature()))
    }
}

fn max_age(head: &str) -> Duration {
    let (_, rest) = head.split_once("max-age=").unwrap();
    let seconds = rest.split(|it: char| !it.is_ascii_digit()).next().unwrap();
    Duration::from_secs(seconds.parse().unwrap())
}

fn key(jwk: &Value) -> (String, Verifier) {
    let algorithm: SigningAlgorithm = jwk["alg"].as_str().unwrap().parse().unwrap();
    let public = PublicJwk::parse(&jwk.to_string()).unwrap();
    (
        jwk["kid"].as_str().unwrap().to_owned(),
        Verifier::new(algorithm, &public).unwrap(),
    )
}
