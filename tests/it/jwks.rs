//! The published keys: RFC 7517, RFC 7518, RFC 7638, and the life of a key (DESIGN section 5).

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use grantd::crypto::digest::{base64url, decode_base64url, sha256};
use grantd::domain::signing_key::KeyLife;
use grantd::domain::timestamp::{Seconds, Timestamp};
use josekit::jwk::Jwk;
use josekit::jws::{ES256, EdDSA, JwsVerifier, PS256, RS256};
use serde_json::Value;

use crate::catalogs::{audience, by_secret, policy};
use crate::forgery::{Forger, new_key};
use crate::harness::*;

/// One audience per algorithm, and a client that gets tokens for all of them.
fn four_algorithms() -> String {
    let audiences =
        ALGORITHMS.map(|(id, algorithm)| audience(id, id, &format!("algorithm = \"{algorithm}\"")));
    let policies = ALGORITHMS.map(|(id, _)| policy(id, id, ""));
    audiences.concat() + &by_secret("reader", READER, &policies)
}
const ALGORITHMS: [(&str, &str); 4] = [
    ("es", "ES256"),
    ("ed", "EdDSA"),
    ("rs", "RS256"),
    ("ps", "PS256"),
];

impl Replica {
    async fn published(&self) -> Vec<Value> {
        self.get("/oauth2/jwks").await.json()["keys"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub(crate) async fn published_kids(&self) -> Vec<String> {
        let kid = |key: Value| key["kid"].as_str().unwrap().to_owned();
        self.published().await.into_iter().map(kid).collect()
    }
}

/// The bytes of a member.
fn bytes(key: &Value, member: &str) -> Vec<u8> {
    decode_base64url(key[member].as_str().unwrap()).unwrap()
}

/// RFC 7638 section 3: the required members in lexicographic order, without spaces.
fn thumbprint(key: &Value) -> String {
    let members: &[&str] = match key["kty"].as_str().unwrap() {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        other => panic!("kty {other}"),
    };
    let members: Vec<String> = members
        .iter()
        .map(|name| format!("{name:?}:{}", key[*name]))
        .collect();
    base64url(&sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

/// Whether the published key, read by a library of others, verifies the token.
fn verifies(key: &Value, token: &str) -> bool {
    let jwk = Jwk::from_bytes(key.to_string()).unwrap();
    let verifier: Box<dyn JwsVerifier> = match key["alg"].as_str().unwrap() {
        "ES256" => Box::new(ES256.verifier_from_jwk(&jwk).unwrap()),
        "EdDSA" => Box::new(EdDSA.verifier_from_jwk(&jwk).unwrap()),
        "RS256" => Box::new(RS256.verifier_from_jwk(&jwk).unwrap()),
        "PS256" => Box::new(PS256.verifier_from_jwk(&jwk).unwrap()),
        other => panic!("alg {other}"),
    };
    let (input, signature) = token.rsplit_once('.').unwrap();
    verifier
        .verify(input.as_bytes(), &decode_base64url(signature).unwrap())
        .is_ok()
}

on_both! {
    /// JOSE-01.
    async fn the_jwks_is_cacheable_and_holds_nothing_private(env) {
        env.apply(&four_algorithms()).await;
        let replica = env.replica().await;
        let answer = replica.get("/oauth2/jwks").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        assert_eq!(answer.same(), replica.get("/.well-known/jwks.json").await.same());
        for path in ["/oauth2/jwks", "/.well-known/jwks.json"] {
            let posted = replica.post(path, &[], "").await;
            posted.assert_error(405, "method_not_allowed");
        }
        let document = answer.json();
        assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["keys"]);
        let keys = replica.published().await;
        assert_eq!(keys.len(), 4);
        let permitted = ["kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"];
        for key in &keys {
            assert!(key.as_object().unwrap().keys().all(|name| permitted.contains(&name.as_str())));
            assert_eq!(key["use"], "sig");
            assert!(["kty", "kid", "alg"].iter().all(|name| key[*name].is_string()), "{key}");
        }
        let distinct =
            |name: &str| keys.iter().map(|key| key[name].to_string()).collect::<BTreeSet<_>>();
        assert_eq!(distinct("kid").len(), 4);
        assert_eq!(distinct("alg").len(), 4);
    }

    /// JOSE-02.
    async fn numbers_have_the_width_that_the_rfcs_demand(env) {
        env.apply(&four_algorithms()).await;
        for key in env.replica().await.published().await {
            if key["kty"] == "RSA" {
                let (n, e) = (bytes(&key, "n"), bytes(&key, "e"));
                assert!(n.len() >= 256, "{} octets", n.len());
                assert!(n[0] >= 0x80 && e[0] != 0, "no leading zero octet");
            } else {
                assert_eq!(bytes(&key, "x").len(), 32);
                assert_eq!(key["y"].is_string(), key["kty"] == "EC");
                assert!(key["kty"] != "EC" || bytes(&key, "y").len() == 32);
            }
        }
    }

    /// JOSE-03.
    async fn each_kid_is_the_thumbprint_of_its_key(env) {
        env.apply(&four_algorithms()).await;
        for key in env.replica().await.published().await {
            assert_eq!(key["kid"], thumbprint(&key), "{key}");
        }
    }

    async fn a_token_of_each_algorithm_verifies_with_the_published_key_it_names(env) {
        env.apply(&four_algorithms()).await;
        let replica = env.replica().await;
        let keys = replica.published().await;
        for (scope, algorithm) in ALGORITHMS {
            let token = replica.issued("reader", READER, &format!("&scope={scope}")).await;
            let (header, claims) = decoded(&token);
            assert_eq!(header["alg"], algorithm);
            assert_eq!(claims["aud"], scope);
            let named: Vec<_> = keys.iter().filter(|key| key["kid"] == header["kid"]).collect();
            assert_eq!(named.len(), 1);
            assert_eq!(named[0]["alg"], algorithm);
            assert!(verifies(named[0], &token), "{algorithm}");
        }
    }

    /// JOSE-04: published before it signs, and then it signs alone.
    async fn a_new_key_is_published_before_it_signs(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let old = forger.key.kid.clone();
        let key = new_key();
        let at = |after| Timestamp::from_unix(START + after);
        env.announce(&key, KeyLife::from(at(0), at(100))).await;
        assert_eq!(replica.published_kids().await, [old.as_str()]);
        replica.follow().await;
        assert_eq!(replica.published_kids().await, [old.as_str(), key.kid.as_str()]);
        for after in [0, 99, 100, 101] {
            env.clock.sleep_until(at(after)).await;
            replica.follow().await;
            let token = replica.issued("reader", READER, "").await;
            let expected = if after < 100 { &old } else { &key.kid };
            assert_eq!(decoded(&token).0["kid"], expected.as_str(), "after {after} s");
            assert!(replica.is_active(&token).await);
            assert_eq!(replica.published_kids().await.len(), 2);
        }
    }

    /// What was written is past, whatever a clock says that was set back since.
    async fn a_key_is_published_as_soon_as_it_is_known(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let key = new_key();
        let at = |after| Timestamp::from_unix(START + after);
        env.announce(&key, KeyLife::from(at(10), at(20))).await;
        replica.follow().await;
        assert_eq!(replica.published_kids().await, [forger.key.kid.as_str(), key.kid.as_str()]);
    }

    /// JOSE-04 B-T01: a retired key signs nothing more, verifies until it expires, and then is gone.
    async fn an_old_key_verifies_until_it_expires_and_no_longer(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let key = new_key();
        let at = |after| Timestamp::from_unix(START + after);
        env.announce(&key, KeyLife::from(at(0), at(20))).await;
        let end = (Some(at(20)), Some(at(200)));
        let life = KeyLife { retires_at: end.0, expires_at: end.1, ..KeyLife::from(at(0), at(0)) };
        env.set_key_life(&forger.key.kid, life).await;
        replica.follow().await;
        env.clock.sleep_until(at(19)).await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(decoded(&token).0["kid"], forger.key.kid.as_str());
        for after in [20, 199] {
            env.clock.sleep_until(at(after)).await;
            replica.follow().await;
            let new = replica.issued("reader", READER, "").await;
            assert_eq!(decoded(&new).0["kid"], key.kid.as_str());
            assert!(replica.is_active(&token).await, "after {after} s");
            assert!(replica.published_kids().await.contains(&forger.key.kid));
        }
        env.clock.advance(Seconds::new(1));
        assert!(!replica.is_active(&token).await);
        assert_eq!(replica.published_kids().await, [key.kid.as_str()]);
    }

    /// A compromised key is gone at once, on every replica that has read the feed.
    async fn a_key_that_expires_now_is_gone_on_every_replica(env) {
        let (here, forger) = Forger::new(&env, CATALOG).await;
        let there = env.replica().await;
        let token = here.issued("reader", READER, "").await;
        let now = Timestamp::from_unix(START);
        let life =
            KeyLife { retires_at: Some(now), expires_at: Some(now), ..KeyLife::from(now, now) };
        env.set_key_life(&forger.key.kid, life).await;
        for replica in [here, there] {
            replica.follow().await;
            assert!(!replica.is_active(&token).await);
            assert!(replica.published().await.is_empty());
            let refused = replica.token("reader", READER, "").await;
            refused.assert_error(503, "temporarily_unavailable");
        }
    }

    async fn a_head_of_the_jwks_has_its_headers_and_no_body(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let request = Request::head("/oauth2/jwks").header("host", "auth.example");
        let answer = replica.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        assert!(answer.body.is_empty());
    }
}
