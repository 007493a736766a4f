//! The request as a form: method, media type, encoding, repetition, grant type (RFC 6749 sections 3.2 and 5.2).

use super::*;
use crate::catalogs::by_secret;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";

on_both! {
    /// 6749-01.
    async fn only_post_is_answered(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let headers = [("content-type", FORM_TYPE), ("origin", "https://evil.example")];
            let answer = replica.exchange(method, "/oauth2/token", &headers, FORM).await;
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.headers["allow"], "POST", "{method}");
            assert!(!String::from_utf8_lossy(&answer.body).contains("access_token"), "{method}");
            let cors = |name: &str| name.starts_with("access-control-");
            assert!(!answer.headers.keys().any(|name| cors(name.as_str())), "{method}");
        }
    }

    /// 6749-02.
    async fn a_body_that_is_no_form_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let answer = replica.exchange("POST", "/oauth2/token", &[], FORM).await;
        answer.assert_error(400, "invalid_request");
        for wrong in ["application/json", "multipart/form-data; boundary=x", "text/plain", ""] {
            let headers = [("content-type", wrong)];
            let answer = replica.exchange("POST", "/oauth2/token", &headers, FORM).await;
            answer.assert_error(400, "invalid_request");
        }
    }

    /// 6749-03.
    async fn the_media_type_is_read_in_any_case_and_only_as_utf_8(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for (media_type, status) in [
            ("Application/X-WWW-Form-Urlencoded; Charset=UTF-8", 200),
            ("application/x-www-form-urlencoded;charset=\"utf-8\"", 200),
            ("application/x-www-form-urlencoded; charset=iso-8859-1", 400),
            ("application/x-www-form-urlencoded; charset=utf-16", 400),
        ] {
            let headers = [("content-type", media_type)];
            let answer = replica.exchange("POST", "/oauth2/token", &headers, FORM).await;
            assert_eq!(answer.status, status, "{media_type}");
            if status == 400 {
                answer.assert_error(400, "invalid_request");
            }
        }
    }

    /// 6749-04.
    async fn bad_encoding_in_any_parameter_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for name in ["grant_type", "scope", "client_id", "client_secret", "resource", "other"] {
            for wrong in ["%FF", "%C0%80", "%ED%A0%80", "%", "%2", "%zz"] {
                let form = format!("{name}={wrong}&a=b");
                replica.ask(&form).await.assert_error(400, "invalid_request");
            }
        }
    }

    /// 6749-06: also one that nobody knows; once it is ignored (6749-05).
    async fn a_repeated_parameter_is_refused_even_with_the_same_value(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let form = format!("{FORM}&grant_type=client_credentials");
        replica.ask(&form).await.assert_error(400, "invalid_request");
        for name in [
            "scope",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
            "audience",
            "unknown",
        ] {
            for pair in [format!("&{name}=read&{name}=read"), format!("&{name}=&{name}=read")] {
                let form = format!("{FORM}{pair}");
                replica.ask(&form).await.assert_error(400, "invalid_request");
            }
        }
        assert_eq!(replica.ask(&format!("{FORM}&unknown=1&another=2")).await.status, 200);
    }

    /// 6749-07.
    async fn an_empty_parameter_counts_as_absent(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let answer = replica.ask(&format!("{FORM}&scope=&resource=&audience=")).await;
        assert_eq!(answer.json()["scope"], "read");
        replica
            .ask("grant_type=&client_id=reader&client_secret=reader+secret+of+1")
            .await
            .assert_error(400, "invalid_request");
        replica
            .ask("grant_type=client_credentials&client_id=reader&client_secret=")
            .await
            .assert_error(401, "invalid_client");
    }

    /// 6749-08.
    async fn the_grant_type_is_judged_after_the_form_and_before_the_client(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for form in
            ["", "&", "client_id=reader&client_secret=reader+secret+of+1", "client_id=nobody"]
        {
            replica.ask(form).await.assert_error(400, "invalid_request");
        }
        let nobody = basic("nobody", "wrong");
        replica.ask_with(&nobody, "scope=read").await.assert_error(400, "invalid_request");
        replica
            .ask_with(&nobody, "grant_type=foo")
            .await
            .assert_error(400, "unsupported_grant_type");
        replica
            .ask_with(&nobody, "grant_type=foo&a=1&a=1")
            .await
            .assert_error(400, "invalid_request");
        let headers = [("content-type", "text/plain"), ("authorization", &nobody)];
        replica
            .exchange("POST", "/oauth2/token", &headers, "grant_type=foo")
            .await
            .assert_error(400, "invalid_request");
    }

    /// 7523-13: nor is the grant of RFC 7523 section 2.1, which this version has not (6749-09, 9700-01).
    async fn another_grant_type_is_unsupported(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for grant in [
            "password",
            "implicit",
            "CLIENT_CREDENTIALS",
            "client_credentials+",
            "foo",
            "authorization_code",
            "refresh_token",
            "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Asaml2-bearer",
        ] {
            let form = format!(
                "grant_type={grant}&client_id=reader&client_secret=reader+secret+of+1\
                &username=a&password=b&code=c&refresh_token=d"
            );
            replica.ask(&form).await.assert_error(400, "unsupported_grant_type");
        }
    }

    /// DESIGN 2: a client without any policy as well (6749-10).
    async fn a_client_without_the_grant_is_unauthorized(env) {
        let idle = by_secret("idle", "secret of the idle", &[]);
        env.apply(&format!("{CATALOG}{idle}")).await;
        let replica = env.replica().await;
        for more in ["", "&scope=read", "&audience=pricing", "&audience=nothing", "&scope=%22"] {
            replica.token("api", API, more).await.assert_error(400, "unauthorized_client");
            replica
                .token("idle", "secret of the idle", more)
                .await
                .assert_error(400, "unauthorized_client");
        }
        replica.token("api", "wrong", "").await.assert_error(401, "invalid_client");
    }

    /// 6749-31.
    async fn every_error_is_json_that_no_cache_keeps(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.ask_with("Basic !", FORM).await.assert_error(400, "invalid_request");
        replica.token("reader", "wrong", "").await.assert_error(401, "invalid_client");
        for path in ["/", "/oauth2", "/oauth2/", "/oauth2/token/", "/oauth2/Token", "/token", "//"]
        {
            let headers = [("content-type", FORM_TYPE)];
            replica.exchange("POST", path, &headers, FORM).await.assert_error(404, "not_found");
        }
        replica.get("/oauth2/token").await.assert_error(405, "method_not_allowed");
        replica.ask(&"a".repeat(20_000)).await.assert_error(413, "invalid_request");
    }

    /// The stream of the second has no length, as a chunked one has none (6749-32).
    async fn a_large_or_encoded_body_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let form = |size: usize| format!("{FORM}&a={}", "x".repeat(size - FORM.len() - 3));
        let limit = 16 * 1024;
        assert_eq!(replica.ask(&form(limit)).await.status, 200);
        replica.ask(&form(limit + 1)).await.assert_error(413, "invalid_request");
        let length = [("content-length", "16385")];
        replica.post("/oauth2/token", &length, FORM).await.assert_error(413, "invalid_request");
        for coding in ["gzip", "deflate", "br", "gzip, identity"] {
            let headers = [("content-encoding", coding)];
            replica
                .post("/oauth2/token", &headers, FORM)
                .await
                .assert_error(415, "invalid_request");
        }
    }

    /// 6749-36.
    async fn no_post_is_answered_by_a_redirect(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for path in [
            "/oauth2/token",
            "/oauth2/token/",
            "/oauth2//token",
            "/oauth2/./token",
            "/oauth2/token%2F",
        ] {
            let headers = [("content-type", FORM_TYPE)];
            let answer = replica.exchange("POST", path, &headers, FORM).await;
            assert!(!answer.status.is_redirection(), "{path}");
            assert!(!answer.headers.contains_key("location"), "{path}");
        }
    }

    /// 6749-37.
    async fn accept_changes_nothing(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let refused = replica.ask("grant_type=client_credentials").await.same();
        for accept in ["*/*", "text/html", "application/xml", "image/png;q=0.1", "", "nonsense"] {
            let headers = [("accept", accept)];
            let answer = replica.post("/oauth2/token", &headers, FORM).await;
            assert_eq!(answer.status, 200, "{accept}");
            assert_eq!(answer.headers["content-type"], "application/json");
            let form = "grant_type=client_credentials";
            assert_eq!(replica.post("/oauth2/token", &headers, form).await.same(), refused);
        }
    }
}
