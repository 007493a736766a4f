//! Signatures that are none, or are another writing of one that was used (RFC 7518 section 3.4, RFC 8725).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use grantd::crypto::digest::{base64url, decode_base64url};
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::signer::{Key, assert_refused, catalog, catalog_of, claims, token, worker};
use crate::harness::on_both;

/// The order of P-256, FIPS 186-4 D.1.2.3.
pub(super) const ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";

/// ORDER - `s`, big-endian.
fn negated(s: &[u8]) -> Vec<u8> {
    let order = decode_base64url(ORDER).unwrap();
    let mut borrow = 0;
    let mut difference: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(a, b)| {
            let value = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(value < 0);
            u8::try_from(value.rem_euclid(256)).unwrap()
        })
        .collect();
    difference.reverse();
    difference
}

/// Two integers as DER, as many other formats of signatures have them.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |n: &[u8]| {
        let zero = usize::from(n[0] >= 0x80);
        [
            &[2, u8::try_from(n.len() + zero).unwrap()],
            &vec![0; zero][..],
            n,
        ]
        .concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----",
        lines.join("\n")
    )
}

/// Every form in which a library may take the public half of `key` for a shared secret.
fn public_forms(key: &Key) -> Vec<Vec<u8>> {
    let pair = RsaKeyPair::from_pkcs8(key.private()).unwrap();
    let pkcs1 = pair.public_key().as_ref().to_vec();
    let spki = pair.public_key().as_der().unwrap().as_ref().to_vec();
    let jwk = Value::Object(key.jwk());
    let mut forms = vec![
        decode_base64url(jwk["n"].as_str().unwrap()).unwrap(),
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        jwk.to_string().into_bytes(),
        json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"] })
            .to_string()
            .into_bytes(),
        json!({ "e": jwk["e"], "kty": "RSA", "n": jwk["n"] })
            .to_string()
            .into_bytes(),
        Vec::new(),
    ];
    for (label, der) in [("PUBLIC KEY", &spki), ("RSA PUBLIC KEY", &pkcs1)] {
        let text = pem(label, der);
        forms.extend([
            der.clone(),
            text.clone().into_bytes(),
            format!("{text}\n").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            text.replace('\n', "").into_bytes(),
        ]);
    }
    forms
}

on_both! {
    /// JOSE-08 B-J06: "psychic" signatures (CVE-2022-21449), and those of another form.
    async fn an_es256_signature_is_64_octets_in_range(env) {
        let (replica, key) = worker(&env).await;
        let good = key.sign(&claims("worker", "1"));
        let (input, signature) = good.rsplit_once('.').unwrap();
        let signature = decode_base64url(signature).unwrap();
        let (r, s) = signature.split_at(32);
        let order = decode_base64url(ORDER).unwrap();
        let wrong = [
            der(r, s),
            signature[..63].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            vec![0; 64],
            [&[0; 32], s].concat(),
            [r, &[0; 32]].concat(),
            [order.as_slice(), s].concat(),
            [r, order.as_slice()].concat(),
            [order.as_slice(), order.as_slice()].concat(),
            vec![0xff; 64],
            [s, r].concat(),
            vec![0; 1],
        ]
        .map(|signature| format!("{input}.{}", base64url(&signature)));
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &good).await.status, 200);
    }

    /// B-J06: with -s a signature is as valid as with s, but the `jti` is the same.
    async fn the_other_signature_of_a_used_assertion_is_a_replay(env) {
        let (replica, key) = worker(&env).await;
        let mirrored = |assertion: &str| {
            let (input, signature) = assertion.rsplit_once('.').unwrap();
            let signature = decode_base64url(signature).unwrap();
            let (r, s) = signature.split_at(32);
            format!("{input}.{}", base64url(&[r, &negated(s)].concat()))
        };
        let first = mirrored(&key.sign(&claims("worker", "1")));
        assert_eq!(token(&replica, &first).await.status, 200, "it is valid");
        let used = key.sign(&claims("worker", "2"));
        assert_eq!(token(&replica, &used).await.status, 200);
        assert_refused(&replica, &[mirrored(&used), key.sign(&claims("worker", "2"))]).await;
    }

    /// B-J02 8725-01: no public key is ever a shared secret (CVE-2016-10555, CVE-2026-48526).
    async fn no_form_of_a_public_key_is_a_secret(env) {
        let key = Key::new(SigningAlgorithm::Rs256);
        env.apply(&catalog(&[&key], "")).await;
        let replica = env.replica().await;
        let text = claims("worker", "1").to_string();
        let algorithms = [
            ("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512),
        ];
        let mut wrong = Vec::new();
        for form in public_forms(&key) {
            for (alg, hash) in algorithms {
                let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, key.kid());
                let input =
                    format!("{}.{}", base64url(header.as_bytes()), base64url(text.as_bytes()));
                let tag = hmac::sign(&hmac::Key::new(hash, &form), input.as_bytes());
                wrong.push(format!("{input}.{}", base64url(tag.as_ref())));
            }
        }
        assert_eq!(wrong.len(), 48);
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// 7523-10 JOSE-10: a key that is registered for PS256 signs nothing with RS256.
    async fn a_key_serves_the_algorithm_that_it_is_registered_for(env) {
        let key = Key::new(SigningAlgorithm::Rs256);
        let rs256 = |jti: &str| key.sign(&claims("worker", jti));
        let ps256 = |jti: &str, alg: &str| {
            let header = key.header("").replace("RS256", alg);
            let text = claims("worker", jti).to_string();
            let input = format!("{}.{}", base64url(header.as_bytes()), base64url(text.as_bytes()));
            let pair = RsaKeyPair::from_pkcs8(key.private()).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
            format!("{input}.{}", base64url(&signature))
        };
        let mut jwk = key.jwk();
        jwk.insert("alg".to_owned(), json!("PS256"));
        env.apply(&catalog_of(&json!({ "keys": [jwk] }), "")).await;
        let replica = env.replica().await;
        assert_refused(&replica, &[rs256("1"), ps256("1", "RS256")]).await;
        assert_eq!(token(&replica, &ps256("1", "PS256")).await.status, 200);
        env.prune(&catalog(&[&key], "")).await;
        replica.follow().await;
        assert_refused(&replica, &[ps256("2", "RS256")]).await;
        for assertion in [rs256("2"), ps256("3", "PS256")] {
            assert_eq!(token(&replica, &assertion).await.status, 200, "without alg it serves both");
        }
    }
}
