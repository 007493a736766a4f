//! Which tokens it takes: RFC 9068 section 4.

use grantd::crypto::digest::base64url;
use josekit::jws::{HS256, JwsSigner as _};
use serde_json::json;

use super::Api;
use super::issuer::{Issuer, now};
use crate::forgery::{new_key, signed, signing_input};

#[test]
fn a_good_token_is_taken_and_its_client_known() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|_| {});
    let answer = api.bearer(&token);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.body.contains(r#""read_by":"archivist""#),
        "{answer:?}"
    );
    let log = api.server.log();
    assert!(log.contains(r#"allowed method=GET scope=archive:read client="archivist" subject="#));
    assert!(log.contains(r#"jti="token-1""#));
    api.assert_secret(&[&token]);
}

/// 6750-02
#[test]
fn an_expired_token_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|claims| claims["exp"] = json!(now() - 60));
    api.assert_invalid(&api.bearer(&token), "expired");
    let token = issuer.token(|claims| claims["nbf"] = json!(now() + 60));
    api.assert_invalid(&api.bearer(&token), "not yet valid");
    let token = issuer.token(|claims| drop(claims.as_object_mut().unwrap().remove("exp")));
    api.assert_invalid(&api.bearer(&token), "a claim is missing");
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    for other in [
        format!("{}/", issuer.url),
        "https://auth.example".to_owned(),
        String::new(),
    ] {
        let token = issuer.token(|claims| claims["iss"] = json!(other));
        api.assert_invalid(&api.bearer(&token), "another issuer");
    }
    for other in ["archive-api/", "archive", "ARCHIVE-API", "pricing-api", ""] {
        let token = issuer.token(|claims| claims["aud"] = json!(other));
        api.assert_invalid(&api.bearer(&token), "another audience");
    }
    for none in [
        json!([]),
        json!(["archive-api/"]),
        json!({}),
        json!(1),
        json!([["archive-api"]]),
    ] {
        let token = issuer.token(|claims| claims["aud"] = none.clone());
        assert_eq!(api.bearer(&token).status, 401, "{none}");
    }
}

/// RFC 7519 sections 2 and 4.1.3.
#[test]
fn an_audience_may_be_a_list_and_an_instant_may_have_a_fraction() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    for (name, value) in [
        ("aud", json!(["archive-api"])),
        ("aud", json!(["pricing-api", "archive-api"])),
        ("exp", half_past(now() + 300)),
        ("iat", half_past(now() - 1)),
        ("nbf", half_past(now() - 1)),
    ] {
        let token = issuer.token(|claims| claims[name] = value.clone());
        let answer = api.bearer(&token);
        assert_eq!(answer.status, 200, "{name} {value}: {}", api.last_reason());
    }
}

/// The instant half a second later, as a claim.
fn half_past(second: i64) -> serde_json::Value {
    serde_json::from_str(&format!("{second}.5")).unwrap()
}

#[test]
fn a_token_from_the_future_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|claims| claims["iat"] = json!(now() + 3600));
    api.assert_invalid(&api.bearer(&token), "issued in the future");
    for none in [json!("1"), json!(null)] {
        let token = issuer.token(|claims| claims["iat"] = none.clone());
        api.assert_invalid(&api.bearer(&token), "malformed");
    }
}

#[test]
fn an_api_that_asks_refuses_what_is_not_active_any_more() {
    let issuer = Issuer::start();
    let api = Api::with_options(
        &issuer.url,
        &[
            "--introspect-as",
            "archive api",
            "--introspection-secret",
            "a:b",
        ],
    );
    let token = issuer.token(|_| {});
    assert_eq!(api.bearer(&token).status, 200);
    // RFC 6749 section 2.3.1: both are form-encoded.
    let asked = issuer.last_introspection();
    let basic = "Basic YXJjaGl2ZSUyMGFwaTphJTNBYg==";
    assert!(
        asked.contains(&format!("authorization: {basic}\r\n")),
        "{asked}"
    );
    let posted = asked.rsplit("token=").next().unwrap();
    assert_eq!(
        posted
            .replace("%2E", ".")
            .replace("%2D", "-")
            .replace("%5F", "_"),
        token
    );

    issuer.call_inactive();
    api.assert_invalid(&api.bearer(&token), "not active");
    issuer.fail_to_introspect();
    let answer = api.bearer(&token);
    assert_eq!(
        (answer.status, answer.retry_after.as_deref()),
        (503, Some("5"))
    );
    api.assert_secret(&[&token, "YXJjaGl2ZSUyMGFwaTphJTNBYg=="]);
}

#[test]
fn a_token_of_the_staging_issuer_is_refused() {
    let (issuer, staging) = (Issuer::start(), Issuer::start());
    let api = Api::for_issuer(&issuer.url);
    let token = staging.token(|_| {});
    api.assert_invalid(&api.bearer(&token), "none of the issuer's keys");
    // Nor when it says to be of ours, or names our key.
    let token = signed(&staging.key, &staging.header(), &issuer.claims());
    api.assert_invalid(&api.bearer(&token), "none of the issuer's keys");
    let token = signed(&staging.key, &issuer.header(), &issuer.claims());
    api.assert_invalid(&api.bearer(&token), "a wrong signature");
}

#[test]
fn an_unsigned_or_re_signed_token_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let (header, claims) = (issuer.header(), issuer.claims());
    let with = |name: &str, value: &str| {
        let mut header = header.clone();
        header[name] = json!(value);
        header
    };
    for alg in ["none", "None", ""] {
        let unsigned = format!("{}.", signing_input(&with("alg", alg), &claims));
        api.assert_invalid(&api.bearer(&unsigned), "no signed JWT");
    }
    let unsigned = format!("{}.", signing_input(&header, &claims));
    api.assert_invalid(&api.bearer(&unsigned), "a wrong signature");
    // By another key that the token itself brings along.
    let other = new_key();
    let mut bringing = header.clone();
    bringing["jwk"] = json!(other.public_jwk.key_members());
    api.assert_invalid(
        &api.bearer(&signed(&other, &bringing, &claims)),
        "a wrong signature",
    );
    // By the public key as if it were a shared secret.
    let input = signing_input(&with("alg", "HS256"), &claims);
    let secret = issuer
        .key
        .public_jwk
        .to_json("", "ES256".parse().unwrap())
        .to_string();
    let signer = HS256.signer_from_bytes(secret).unwrap();
    let resigned = format!(
        "{input}.{}",
        base64url(&signer.sign(input.as_bytes()).unwrap())
    );
    api.assert_invalid(&api.bearer(&resigned), "another algorithm than the key's");
    // A good one, with its claims changed.
    let good = issuer.token(|_| {});
    let changed = issuer.token(|claims| claims["scope"] = json!("archive:write"));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let (input, _) = changed.rsplit_once('.').unwrap();
    api.assert_invalid(
        &api.bearer(&format!("{input}.{signature}")),
        "a wrong signature",
    );
}

#[test]
fn a_jwt_that_is_no_access_token_is_refused() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    for typ in ["JWT", "dpop+jwt", "secevent+jwt", ""] {
        let mut header = issuer.header();
        header["typ"] = json!(typ);
        let token = signed(&issuer.key, &header, &issuer.claims());
        api.assert_invalid(&api.bearer(&token), "no access token by its type");
    }
    let mut header = issuer.header();
    header["crit"] = json!(["exp"]);
    let token = signed(&issuer.key, &header, &issuer.claims());
    api.assert_invalid(&api.bearer(&token), "critical extensions");
    let mut header = issuer.header();
    header["typ"] = json!("application/AT+JWT");
    let token = signed(&issuer.key, &header, &issuer.claims());
    assert_eq!(api.bearer(&token).status, 200);
}

#[test]
fn a_client_that_is_not_ours_is_refused_and_learns_no_scope() {
    let issuer = Issuer::start();
    let api = Api::with_options(
        &issuer.url,
        &["--client", "archivist", "--client", "auditor"],
    );
    let as_client =
        |client: &str| api.bearer(&issuer.token(|claims| claims["client_id"] = json!(client)));
    for known in ["archivist", "auditor"] {
        assert_eq!(as_client(known).status, 200);
    }
    for unknown in ["stranger", "Archivist", "archivist ", ""] {
        let answer = as_client(unknown);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(
            answer.challenges,
            [r#"Bearer realm="documents", error="insufficient_scope""#]
        );
        assert_eq!(api.last_reason(), "a client that may not call");
    }
}
