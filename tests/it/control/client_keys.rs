//! What clients sign: assertions by the keys that `grantd dev` made for them, and proofs.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use openssl::sha::sha256;
use serde_json::json;

use super::*;
use crate::catalogs::{audience, by_secret, client, reads};
use crate::place::Place;

/// A client by key whose catalog states none, and one by secret.
fn by_key() -> String {
    let policies = reads("api");
    [
        audience("api", "read", ""),
        client("job", "auth = \"private_key_jwt\"", &policies),
        by_secret("by-secret", "a secret of my own", &policies),
    ]
    .concat()
}

/// Asks for a token with an assertion.
fn ask_with(dev: &crate::place::Dev, assertion: &str) -> (u16, Value) {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let lines = "Content-Type: application/x-www-form-urlencoded\r\n";
    let (status, _, body) = request(dev.url("issuer"), "POST /oauth2/token", lines, &form);
    (status, body)
}

#[test]
fn an_assertion_gets_a_token_and_one_with_a_flaw_does_not() {
    let place = Place::new();
    place.write("my.toml", &by_key());
    let dev = place.dev(&["--catalog", "my.toml", "--data", "data"]);
    assert!(Path::new(&place.path("data/client-job.jwk.json")).exists());
    let control = dev.url("control");
    let sign = |wanted: &Value| {
        let (status, _, made) =
            request(control, "POST /_test/assertions", JSON, &wanted.to_string());
        assert_eq!(status, 200, "{wanted}: {made}");
        made
    };
    let assertion = |made: &Value| made["client_assertion"].as_str().unwrap().to_owned();
    let good = sign(&json!({ "client_id": "job" }));
    assert_eq!(
        good["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(
        (&good["claims"]["iss"], &good["claims"]["aud"]),
        (&json!("job"), &json!(dev.url("issuer")))
    );
    let (status, issued) = ask_with(&dev, &assertion(&good));
    assert_eq!(status, 200, "{issued}");
    assert_eq!(ask_with(&dev, &assertion(&good)).0, 401, "it is spent");
    for flaw in [
        "expired",
        "wrong_audience",
        "wrong_issuer",
        "signature_changed",
        "alg_none",
        "jti_missing",
        "unknown_kid",
    ] {
        let made = sign(&json!({ "client_id": "job", "flaw": flaw }));
        let (status, told) = ask_with(&dev, &assertion(&made));
        assert_eq!(
            (status, &told["error"]),
            (401, &json!("invalid_client")),
            "{flaw}: {told}"
        );
    }
    let longer = sign(&json!({
        "client_id": "job", "claims": { "exp": good["claims"]["exp"].as_i64().unwrap() + 60 }, "header": { "typ": null },
    }));
    assert!(longer["header"]["typ"].is_null());
    assert_eq!(ask_with(&dev, &assertion(&longer)).0, 200);
    for (wanted, status, at) in [
        (json!({ "client_id": "jop" }), 404, "client_id"),
        (json!({ "client_id": "by-secret" }), 409, "client_id"),
        (json!({ "client_id": "job", "flaw": "expird" }), 400, "flaw"),
        (json!({}), 400, "client_id"),
    ] {
        let (found, _, told) =
            request(control, "POST /_test/assertions", JSON, &wanted.to_string());
        assert_eq!(
            (found, &told["at"]),
            (status, &json!(at)),
            "{wanted}: {told}"
        );
    }
}

#[test]
fn a_proof_is_for_the_token_endpoint_or_for_a_request_with_a_token() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let control = dev.url("control");
    let sign = |wanted: &Value| {
        let (status, _, made) = request(control, "POST /_test/proofs", JSON, &wanted.to_string());
        assert_eq!(status, 200, "{wanted}: {made}");
        made
    };
    // By another library.
    let verified = |made: &Value| {
        let proof = made["proof"].as_str().unwrap();
        let jwk: Jwk = serde_json::from_value(made["header"]["jwk"].clone()).unwrap();
        assert_eq!(made["jkt"], jwk.thumbprint(ThumbprintHash::SHA256).unwrap());
        let (input, signature) = proof.rsplit_once('.').unwrap();
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let algorithm = made["header"]["alg"].as_str().unwrap().parse().unwrap();
        jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, algorithm).unwrap()
    };
    let to_us = sign(&json!({}));
    assert!(verified(&to_us) && to_us["header"]["typ"] == "dpop+jwt");
    assert_eq!(to_us["claims"]["htu"], dev.url("token_endpoint"));
    assert_eq!(to_us["claims"]["htm"], "POST");
    let form =
        "grant_type=client_credentials&client_id=orders-service&client_secret=orders-demo-secret";
    let proof = to_us["proof"].as_str().unwrap();
    let lines = format!("DPoP: {proof}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    let (status, _, issued) = request(dev.url("issuer"), "POST /oauth2/token", &lines, form);
    assert_eq!(
        (status, &issued["token_type"]),
        (200, &json!("DPoP")),
        "{issued}"
    );
    let token = issued["access_token"].as_str().unwrap();
    assert_eq!(crate::harness::decoded(token).1["cnf"]["jkt"], to_us["jkt"]);

    let to_api = sign(&json!({
        "url": "http://localhost:8090/documents?a=b#c", "access_token": token, "claims": { "jti": null, "x": 1 },
    }));
    assert!(verified(&to_api));
    assert_eq!(to_api["jkt"], to_us["jkt"], "the key stays the same");
    assert_eq!(to_api["claims"]["htm"], "GET");
    assert_eq!(to_api["claims"]["htu"], "http://localhost:8090/documents");
    assert_eq!(
        to_api["claims"]["ath"],
        URL_SAFE_NO_PAD.encode(sha256(token.as_bytes()))
    );
    assert!(to_api["claims"]["jti"].is_null() && to_api["claims"]["x"] == 1);
    for (wanted, at) in [
        (json!({ "url": "documents" }), "url"),
        (json!({ "key": { "kty": "EC" } }), "key"),
        (json!({ "methd": "GET" }), "methd"),
    ] {
        let (status, _, told) = request(control, "POST /_test/proofs", JSON, &wanted.to_string());
        assert_eq!((status, &told["at"]), (400, &json!(at)), "{told}");
    }
}
