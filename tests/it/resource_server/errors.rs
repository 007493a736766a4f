//! How it refuses: RFC 6750 sections 2 and 3.

use serde_json::json;

use super::Api;
use super::issuer::Issuer;

/// 6750-01
#[test]
fn without_a_token_there_is_a_challenge_and_no_error() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let challenges = [
        r#"Bearer realm="documents""#,
        r#"DPoP algs="ES256 EdDSA PS256""#,
    ];
    let without = api.call("GET /documents", &[], "");
    let basic = api.read("Basic YTpi");
    for answer in [without, basic] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.challenges, challenges);
    }
}

/// 6750-02
#[test]
fn a_malformed_token_is_invalid_token() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    // A right one, but for its length.
    let long = issuer.token(|claims| claims["padding"] = json!("x".repeat(16 * 1024)));
    api.assert_invalid(&api.bearer(&long), "too long");
    for token in [
        "x",
        "a.b.c",
        "..",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA",
        &"A".repeat(15_000),
    ] {
        let answer = api.bearer(token);
        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(
            answer.challenges,
            [r#"Bearer realm="documents", error="invalid_token""#]
        );
    }
}

/// 6750-02
#[test]
fn a_missing_scope_is_insufficient_scope_and_named() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    for scope in [
        "",
        "archive:rea",
        "archive:read-all",
        "ARCHIVE:READ",
        "archive:write",
    ] {
        let answer = api.bearer(&issuer.token(|claims| claims["scope"] = json!(scope)));
        assert_eq!(answer.status, 403, "{scope}: {answer:?}");
        let challenge =
            r#"Bearer realm="documents", error="insufficient_scope", scope="archive:read""#;
        assert_eq!(answer.challenges, [challenge]);
    }
    // Reading is not writing.
    let reader = format!("Bearer {}", issuer.token(|_| {}));
    let writer = issuer.token(|claims| claims["scope"] = json!("archive:write"));
    let writer = format!("Bearer {writer}");
    let add = |authorization: &str| {
        let headers = [
            ("Authorization", authorization),
            ("Content-Type", "text/plain"),
        ];
        api.call("POST /documents", &headers, "A title").status
    };
    assert_eq!((add(&reader), add(&writer)), (403, 201));
    assert!(api.read(&reader).body.contains("A title"));
}

/// 6750-02
#[test]
fn two_tokens_in_one_request_are_invalid_request() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|claims| claims["scope"] = json!("archive:read archive:write"));
    let bearer = format!("Bearer {token}");
    let header = ("Authorization", bearer.as_str());
    let form = (
        "Content-Type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    let with_query = format!("GET /documents?page=2&access_token={token}");
    let body = format!("title=x&access_token={token}");
    for answer in [
        api.call("GET /documents", &[header, header], ""),
        api.call(
            "GET /documents",
            &[header, ("Authorization", "Basic YTpi")],
            "",
        ),
        api.call(&with_query, &[header], ""),
        api.call("POST /documents", &[header, form], &body),
        api.read("Bearer"),
        api.read(&format!("Bearer {token} {token}")),
        api.read(&format!("Bearer {token}, Bearer {token}")),
    ] {
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(
            answer.challenges,
            [r#"Bearer realm="documents", error="invalid_request""#]
        );
    }
    api.assert_secret(&[&token]);
}

/// 6750-03
#[test]
fn a_token_in_the_url_or_in_a_form_counts_as_none() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|claims| claims["scope"] = json!("archive:read archive:write"));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for answer in [
        api.call(&format!("GET /documents?access_token={token}"), &[], ""),
        api.call("POST /documents", &[form], &format!("access_token={token}")),
    ] {
        assert_eq!(answer.status, 401);
        assert!(
            answer.challenges.iter().all(|text| !text.contains("error")),
            "{answer:?}"
        );
    }
    api.assert_secret(&[&token]);
}

/// 6750-03
#[test]
fn the_scheme_is_the_same_in_either_case() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let token = issuer.token(|_| {});
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(
            api.read(&format!("{scheme} {token}")).status,
            200,
            "{scheme}"
        );
    }
}

#[test]
fn what_is_not_there_is_404_and_another_method_405() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    assert_eq!(api.call("GET /nowhere", &[], "").status, 404);
    assert_eq!(api.call("DELETE /documents", &[], "").status, 405);
}
