//! Which key verifies an assertion: one that is registered for the client, and nothing that the assertion brings.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use grantd::crypto::digest::base64url;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::signer::{
    Key, assert_refused, catalog, catalog_of, claims, present, token, with_client, worker,
};
use crate::harness::{decoded, on_both};

/// A certificate with its key, neither of which grantd knows.
const CERTIFICATE: &str = include_str!("../../../src/server/tls/testdata/first.certificate.pem");

/// The base64 inside of a PEM.
fn pem_body(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}

/// 65537^128: 2049 bits, with the fingerprint of a faulty library's moduli.
fn roca_modulus() -> Vec<u8> {
    let mut n = vec![1_u8];
    for _ in 0..128 {
        let shifted = [&n[..], &[0, 0]].concat();
        let aligned = [&[0, 0], &n[..]].concat();
        let mut carry = 0;
        n = shifted
            .iter()
            .zip(&aligned)
            .rev()
            .map(|(a, b)| {
                let sum = u16::from(*a) + u16::from(*b) + carry;
                carry = sum >> 8;
                sum.to_be_bytes()[1]
            })
            .collect();
        n.reverse();
        if carry > 0 {
            n.insert(0, 1);
        }
        while n[0] == 0 {
            n.remove(0);
        }
    }
    n
}

on_both! {
    /// B-J03: a key inside of the header proves that somebody has a key (CVE-2018-0114, CVE-2026-27962).
    async fn a_key_that_the_assertion_brings_is_not_looked_at(env) {
        let (replica, key) = worker(&env).await;
        let stranger = Key::new(SigningAlgorithm::Es256);
        let text = claims("worker", "1").to_string();
        let jwk = Value::Object(stranger.jwk());
        let mut wrong = Vec::new();
        for brings in [
            format!(r#","jwk":{jwk}"#),
            format!(r#","jwk":{}"#, Value::Object(key.jwk())),
            format!(r#","jwks":{{"keys":[{jwk}]}}"#),
            format!(r#","x5c":["{}"]"#, pem_body(CERTIFICATE)),
            format!(r#","x5t#S256":"{}""#, base64url(&[1; 32])),
        ] {
            wrong.push(stranger.sign_raw(&stranger.header(&brings), &text));
            let header = |kid: &str| format!(r#"{{"alg":"ES256"{kid}{brings}}}"#);
            wrong.push(stranger.sign_raw(&header(""), &text));
            let kid = format!(r#","kid":"{}""#, key.kid());
            wrong.push(stranger.sign_raw(&header(&kid), &text));
        }
        assert_refused(&replica, &wrong).await;
        let brings = format!(r#","jwk":{jwk}"#);
        let good = key.sign_raw(&key.header(&brings), &text);
        assert_eq!(token(&replica, &good).await.status, 200, "the registered key signed it");
    }

    /// B-J04: no URL of an assertion is fetched, whoever signed it.
    async fn no_url_of_the_assertion_is_fetched(env) {
        let (replica, key) = worker(&env).await;
        let canary = TcpListener::bind("127.0.0.1:0").unwrap();
        canary.set_nonblocking(true).unwrap();
        let port = canary.local_addr().unwrap().port();
        let stranger = Key::new(SigningAlgorithm::Es256);
        let mut wrong = Vec::new();
        for url in [
            format!("http://127.0.0.1:{port}/jwks"),
            format!("https://127.0.0.1:{port}/jwks"),
            format!("https://localhost:{port}/jwks"),
            format!("http://[::1]:{port}/jwks"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            format!("gopher://127.0.0.1:{port}/_x"),
            "file:///etc/passwd".to_owned(),
        ] {
            for name in ["jku", "x5u"] {
                let more = format!(r#","{name}":"{url}""#);
                let text = claims("worker", &more).to_string();
                wrong.push(stranger.sign_raw(&stranger.header(&more), &text));
                wrong.push(stranger.sign_raw(&key.header(&more), &text));
                let good = key.sign_raw(&key.header(&more), &text);
                assert_eq!(token(&replica, &good).await.status, 200, "{more}");
            }
        }
        assert_refused(&replica, &wrong).await;
        assert_eq!(canary.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "no connection");
    }

    /// B-J05: a `kid` is compared and nothing else. Were one run as SQL, the time would tell.
    async fn a_kid_is_the_name_of_a_registered_key_and_nothing_else(env) {
        let (key, reader) =
            (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        env.apply(&with_client(&catalog(&[&key], ""), "other", &[&reader])).await;
        let replica = env.replica().await;
        let jwks = replica.get("/oauth2/jwks").await.json();
        let own = jwks["keys"][0]["kid"].as_str().unwrap().to_owned();
        let text = claims("worker", "1").to_string();
        let wrong: Vec<String> = [
            json!("../../../../dev/null"), json!("/etc/passwd"), json!("' OR 1=1--"),
            json!("\"; select pg_sleep(5)--"), json!("'; SELECT pg_sleep(5); --"),
            json!("%00"), json!("\0"), json!(""), json!("*"), json!("x".repeat(8000)),
            json!(reader.kid()), json!(own), json!(key.kid().to_uppercase()),
            json!(format!("{} ", key.kid())), json!(format!("{}\0", key.kid())),
            json!([key.kid()]), json!({ "kid": key.kid() }), json!(1), json!(null), json!(true),
        ]
        .iter()
        .flat_map(|kid| {
            let header = json!({ "alg": "ES256", "kid": kid }).to_string();
            [key.sign_raw(&header, &text), reader.sign_raw(&header, &text)]
        })
        .collect();
        let quickly = Duration::from_secs(4);
        tokio::time::timeout(quickly, assert_refused(&replica, &wrong)).await.unwrap();
        let huge = json!({ "alg": "ES256", "kid": "x".repeat(65_536) }).to_string();
        assert_eq!(token(&replica, &key.sign_raw(&huge, &text)).await.status, 413);
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// JOSE-09
    async fn without_a_kid_the_only_key_of_the_algorithm_counts(env) {
        let keys = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::EdDsa)];
        env.apply(&catalog(&[&keys[0], &keys[1]], "")).await;
        let replica = env.replica().await;
        let sign = |key: &Key, alg: &str, jti: &str| {
            key.sign_raw(&format!(r#"{{"alg":"{alg}"}}"#), &claims("worker", jti).to_string())
        };
        for (key, alg) in keys.iter().zip(["ES256", "EdDSA"]) {
            assert_eq!(token(&replica, &sign(key, alg, alg)).await.status, 200, "{alg}");
        }
        assert_refused(&replica, &[
            sign(&keys[0], "EdDSA", "3"), sign(&keys[1], "ES256", "3"), sign(&keys[0], "RS256", "3"),
        ]).await;
    }

    /// JOSE-09.
    async fn two_keys_of_one_kid_are_refused_when_they_are_registered(env) {
        let keys = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256)];
        let named = |key: &Key| {
            let mut jwk = key.jwk();
            jwk.insert("kid".to_owned(), json!("mine"));
            Value::Object(jwk)
        };
        let both = catalog_of(&json!({ "keys": [named(&keys[0]), named(&keys[1])] }), "");
        assert!(env.try_apply(&both, false).await.unwrap_err().contains("kid"));
        env.apply(&catalog_of(&json!({ "keys": [named(&keys[0])] }), "")).await;
        let second = catalog_of(&json!({ "keys": [named(&keys[1])] }), "");
        let error = env.try_apply(&second, false).await.unwrap_err();
        assert!(error.contains("kid") && error.contains("--prune"), "{error}");
        env.prune(&second).await;
        let replica = env.replica().await;
        let sign = |key: &Key| {
            key.sign_raw(r#"{"alg":"ES256","kid":"mine"}"#, &claims("worker", "1").to_string())
        };
        assert_refused(&replica, &[sign(&keys[0])]).await;
        assert_eq!(token(&replica, &sign(&keys[1])).await.status, 200);
    }

    /// JOSE-12: RFC 8037 calls it `EdDSA`, RFC 9864 `Ed25519`; both mean a key of this curve.
    async fn both_names_of_ed25519_are_one(env) {
        for registered in [None, Some("EdDSA"), Some("Ed25519")] {
            let key = Key::new(SigningAlgorithm::EdDsa);
            let mut jwk = key.jwk();
            if let Some(alg) = registered {
                jwk.insert("alg".to_owned(), json!(alg));
            }
            env.prune(&catalog_of(&json!({ "keys": [jwk] }), "")).await;
            let replica = env.replica().await;
            for alg in ["EdDSA", "Ed25519"] {
                let header = key.header("").replace("EdDSA", alg);
                let text = claims("worker", &format!("{registered:?} {alg}")).to_string();
                let answer = token(&replica, &key.sign_raw(&header, &text)).await;
                assert_eq!(answer.status, 200, "{registered:?} {alg}");
            }
            for alg in ["eddsa", "ed25519", "Ed448", "ES256"] {
                let header = key.header("").replace("EdDSA", alg);
                assert_refused(&replica, &[key.sign_raw(&header, &claims("worker", alg).to_string())])
                    .await;
            }
        }
    }

    /// JOSE-10 B-J07
    async fn a_key_that_is_weak_private_or_for_something_else_is_not_registered(env) {
        let rsa = Value::Object(Key::new(SigningAlgorithm::Rs256).jwk());
        let ec = Value::Object(Key::new(SigningAlgorithm::Es256).jwk());
        let with = |jwk: &Value, members: &Value| {
            let mut jwk = jwk.clone();
            for (name, value) in members.as_object().unwrap() {
                jwk[name] = value.clone();
            }
            jwk
        };
        let modulus = |octets: usize| {
            let mut n = vec![0xc5; octets];
            n[octets - 1] = 0xfb;
            json!({ "n": base64url(&n) })
        };
        let even = json!({ "n": base64url(&[0xc4; 256]) });
        let divisible_by_three = json!({ "n": base64url(&[0xc3; 256]) });
        let catalog = |jwk: &Value| catalog_of(&json!({ "keys": [jwk] }), "");
        for (jwk, why) in [
            (with(&rsa, &modulus(64)), "2048"),
            (with(&rsa, &modulus(128)), "2048"),
            (with(&rsa, &modulus(255)), "2048"),
            (with(&rsa, &modulus(2048)), "8192"),
            (with(&rsa, &even), "even"),
            (with(&rsa, &divisible_by_three), "divisor"),
            (with(&rsa, &json!({ "e": "AQ" })), "exponent"),
            (with(&rsa, &json!({ "e": "Aw" })), "exponent"),
            (with(&rsa, &json!({ "e": "AQAA" })), "exponent"),
            (with(&rsa, &json!({ "n": base64url(&roca_modulus()) })), "ROCA"),
            (with(&rsa, &json!({ "d": "AQ" })), "private"),
            (with(&ec, &json!({ "d": "AQ" })), "private"),
            (with(&ec, &json!({ "use": "enc" })), "use"),
            (with(&ec, &json!({ "key_ops": ["sign"] })), "key_ops"),
            (with(&ec, &json!({ "key_ops": ["encrypt"] })), "key_ops"),
            (with(&ec, &json!({ "alg": "RS256" })), "alg"),
            (with(&ec, &json!({ "alg": "HS256" })), "alg"),
            (with(&ec, &json!({ "crv": "P-521" })), "crv"),
            (with(&ec, &json!({ "crv": "P-384" })), "`x`"),
            (with(&ec, &json!({ "kid": 1 })), "kid"),
            (with(&ec, &json!({ "x": ec["y"] })), "valid"),
            (json!({ "kty": "oct", "k": "AQAB" }), "k"),
            (json!({ "kty": "oct", "x": "AQAB" }), "kty"),
        ] {
            let error = env.try_apply(&catalog(&jwk), false).await.unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
        for jwk in [&rsa, &ec] {
            env.try_apply(&catalog(jwk), false).await.unwrap();
        }
    }

    /// B-J15: two clients with one key. What each may do is what its own name may do.
    async fn a_key_of_two_clients_proves_the_one_that_the_assertion_names(env) {
        let (shared, own) = (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        let both = |other: &Key| with_client(&catalog(&[&shared], ""), "other", &[other]);
        env.apply(&both(&own)).await;
        let replica = env.replica().await;
        let named = |iss: &str, sub: &str| {
            let mut claims = claims(sub, "1");
            claims["iss"] = json!(iss);
            shared.sign(&claims)
        };
        assert_refused(&replica, &[
            named("other", "other"), named("worker", "other"), named("other", "worker"),
        ]).await;
        let plan = env.prune(&both(&shared)).await;
        let warning = plan.warnings.join("\n");
        assert!(warning.contains("worker") && warning.contains("other"), "{warning}");
        replica.follow().await;
        assert_refused(&replica, &[named("worker", "other"), named("other", "worker")]).await;
        for client in ["worker", "other"] {
            let answer = token(&replica, &named(client, client)).await;
            let text = answer.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(decoded(&text).1["client_id"], client);
            let form = format!("grant_type=client_credentials&client_id={client}");
            let again = present(&replica, "/oauth2/token", &form, &named(client, client)).await;
            assert_eq!(again.status, 401, "a replay");
        }
    }
}
