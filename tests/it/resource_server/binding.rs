//! Bound tokens by a DPoP proof: RFC 9449 sections 4.3 and 7.

use grantd::crypto::digest::{base64url, sha256};
use serde_json::json;

use super::issuer::{Issuer, now};
use super::proof::{bound, claims, header, proof, read};
use super::{Answer, Api};
use crate::forgery::{new_key, signed, signing_input};

#[track_caller]
fn assert_no_proof(api: &Api, answer: &Answer, reason: &str) {
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = r#"DPoP algs="ES256 EdDSA PS256", error="invalid_dpop_proof""#;
    assert_eq!(answer.challenges, [challenge], "{}", api.last_reason());
    assert_eq!(api.last_reason(), reason);
}

#[test]
fn a_bound_token_with_a_proof_is_taken_and_a_proof_serves_once() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let key = new_key();
    let token = bound(&issuer, &key);
    let first = proof(&key, (&api, &token), |_| {});
    let answer = read(&api, &token, &first);
    assert_eq!(answer.status, 200, "{answer:?} {}", api.last_reason());
    assert_no_proof(&api, &read(&api, &token, &first), "used before");
    let second = proof(&key, (&api, &token), |_| {});
    assert_eq!(read(&api, &token, &second).status, 200);
    api.assert_secret(&[&token, &first, &second]);
}

/// 6750-04
#[test]
fn a_bound_token_as_plain_bearer_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let key = new_key();
    let token = bound(&issuer, &key);
    let reason = "bound to a key, and shown without a DPoP proof";
    api.assert_invalid(&api.bearer(&token), reason);
    // Nor does a proof help under the scheme Bearer (RFC 9449 section 7.2).
    let proof = proof(&key, (&api, &token), |_| {});
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("DPoP", &proof)];
    api.assert_invalid(&api.call("GET /documents", &headers, ""), reason);

    let hash = base64url(&sha256(b"a certificate"));
    let token = issuer.token(|claims| claims["cnf"] = json!({ "x5t#S256": hash }));
    api.assert_invalid(
        &api.bearer(&token),
        "bound to a certificate, and none was shown",
    );
    // A binding that nobody here can check.
    let both = json!({ "jkt": key.public_jwk.thumbprint(), "kid": "1" });
    let token = issuer.token(|claims| claims["cnf"] = both);
    let right = super::proof::proof(&key, (&api, &token), |_| {});
    assert_eq!(read(&api, &token, &right).status, 401);
    for cnf in [
        json!({}),
        json!({ "kid": "1" }),
        json!({ "jkt": 1 }),
        json!("x"),
        json!([]),
    ] {
        let token = issuer.token(|claims| claims["cnf"] = cnf.clone());
        assert_eq!(api.bearer(&token).status, 401, "{cnf}");
    }
}

#[test]
fn a_proof_for_something_else_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let key = new_key();
    let token = bound(&issuer, &key);
    let elsewhere = format!("http://{}/other", api.address);
    let encrypted = api.url().replace("http:", "https:");
    for (name, value, reason) in [
        ("htm", json!("POST"), "for another method"),
        ("htm", json!("get"), "for another method"),
        ("htu", json!(elsewhere), "for another URL"),
        ("htu", json!(encrypted), "for another URL"),
        ("htu", json!("/documents"), "for another URL"),
        (
            "htu",
            json!("https://api.example/documents"),
            "for another URL",
        ),
        ("iat", json!(now() - 120), "too old"),
        ("iat", json!(now() + 120), "from the future"),
        ("iat", json!(u64::MAX), "from the future"),
        (
            "ath",
            json!(base64url(&sha256(b"another token"))),
            "for another token",
        ),
        ("ath", json!(null), "a wrong signature or claims"),
        ("jti", json!(""), "without a usable jti"),
        ("jti", json!("x".repeat(257)), "without a usable jti"),
        ("jti", json!(7), "a wrong signature or claims"),
    ] {
        let proof = proof(&key, (&api, &token), |claims| claims[name] = value.clone());
        assert_no_proof(&api, &read(&api, &token, &proof), reason);
    }
    let with_query = proof(&key, (&api, &token), |claims| {
        claims["htu"] = json!(format!("{}?a#b", api.url()));
    });
    assert_eq!(read(&api, &token, &with_query).status, 200);
}

#[test]
fn a_proof_of_the_wrong_form_or_key_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let key = new_key();
    let token = bound(&issuer, &key);
    let with = |name: &str, value: serde_json::Value| {
        let mut header = header(&key);
        header[name] = value;
        signed(&key, &header, &claims(&api, &token))
    };
    let mut given_away = header(&key)["jwk"].clone();
    given_away["d"] = json!("AAAA");
    let unsigned = format!("{}.", signing_input(&header(&key), &claims(&api, &token)));
    for (proof, reason) in [
        (with("typ", json!("JWT")), "another type or algorithm"),
        (with("alg", json!("RS256")), "another type or algorithm"),
        (with("alg", json!("HS256")), "another type or algorithm"),
        (with("alg", json!("none")), "no proof by its form"),
        (with("crit", json!(["b64"])), "another type or algorithm"),
        (with("jwk", json!(null)), "no key"),
        (with("jwk", given_away), "a private key in its header"),
        (
            with("jwk", json!(new_key().public_jwk.key_members())),
            "a wrong signature or claims",
        ),
        (unsigned, "a wrong signature or claims"),
        ("x.y.z".to_owned(), "no proof by its form"),
        (String::new(), "no proof by its form"),
    ] {
        assert_no_proof(&api, &read(&api, &token, &proof), reason);
    }
    assert_no_proof(&api, &api.read(&format!("DPoP {token}")), "no DPoP header");
    let good = proof(&key, (&api, &token), |_| {});
    let dpop = format!("DPoP {token}");
    let twice = [
        ("Authorization", dpop.as_str()),
        ("DPoP", &good),
        ("DPoP", &good),
    ];
    let answer = api.call("GET /documents", &twice, "");
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[test]
fn a_proof_by_another_key_or_for_an_unbound_token_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let (key, thief) = (new_key(), new_key());
    let unbound = issuer.token(|_| {});
    for (token, reason) in [
        (bound(&issuer, &key), "bound to another key"),
        (unbound, "a DPoP proof, and no key in the token"),
    ] {
        let proof = proof(&thief, (&api, &token), |_| {});
        let answer = read(&api, &token, &proof);
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenge = r#"DPoP algs="ES256 EdDSA PS256", error="invalid_token""#;
        assert_eq!(answer.challenges, [challenge]);
        assert_eq!(api.last_reason(), reason);
    }
}

/// Two callers may name their proofs alike, and a request that is refused for something else spends none.
#[test]
fn a_proof_is_spent_by_its_key_and_only_when_all_else_is_right() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    for _ in 0..2 {
        let key = new_key();
        let token = bound(&issuer, &key);
        let proof = proof(&key, (&api, &token), |claims| {
            claims["jti"] = json!("the same");
        });
        assert_eq!(read(&api, &token, &proof).status, 200);
    }
    let key = new_key();
    let jkt = key.public_jwk.thumbprint();
    let token = issuer.token(|claims| {
        claims["cnf"] = json!({ "jkt": jkt });
        claims["scope"] = json!("archive:write");
    });
    let proof = proof(&key, (&api, &token), |_| {});
    for _ in 0..2 {
        assert_eq!(read(&api, &token, &proof).status, 403);
        assert_eq!(api.last_reason(), "the scope is missing");
    }
}

#[test]
fn the_url_that_proofs_name_may_be_that_of_a_proxy() {
    let issuer = Issuer::start();
    let api = Api::with_options(&issuer.url, &["--url", "https://Archive.example/"]);
    let key = new_key();
    let token = bound(&issuer, &key);
    for (htu, status) in [
        ("https://archive.example/documents", 200),
        ("HTTPS://archive.example:443/documents", 200),
        ("https://archive.example/Documents", 401),
        ("https://archive.example:444/documents", 401),
        (&api.url(), 401),
    ] {
        let proof = proof(&key, (&api, &token), |claims| claims["htu"] = json!(htu));
        assert_eq!(read(&api, &token, &proof).status, status, "{htu}");
    }
}
