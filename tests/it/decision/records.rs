//! That each path through the three endpoints ends in exactly one record, which says how.

use axum::body::Body;
use axum::http::{Request, header};

use super::Asker;
use grantd::domain::timestamp::Seconds;

use crate::harness::*;

const TOKEN: &str = "/oauth2/token";
const INTROSPECT: &str = "/oauth2/introspect";
const REVOKE: &str = "/oauth2/revoke";
const GRANT: &str = "grant_type=client_credentials";

async fn assert_inactive(
    asker: &Asker<'_>,
    who: (&str, &str),
    token: &str,
    (expected, found): (&str, &str),
) -> String {
    let (answer, line) = asker.ask(INTROSPECT, who, &format!("token={token}")).await;
    assert_eq!(answer.body, br#"{"active":false}"#);
    for text in [
        "outcome=\"inactive\"".to_owned(),
        format!("expected=\"{expected}\""),
        format!("found=\"{found}\""),
    ] {
        assert!(line.contains(&text), "{text} is not in {line}");
    }
    line
}

on_both! {
    async fn a_granted_request_leaves_one_record_with_all_that_was_granted(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let (answer, line) = asker.token("&scope=read").await;
        assert_eq!(answer.status, 200);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        let credential = jti.split_once('.').unwrap().0;
        for text in [
            "INFO",
            "issued",
            "endpoint=\"token\"",
            "grant=\"client_credentials\"",
            "client=\"reader\"",
            "method=\"client_secret_basic\"",
            &format!("credential=\"{credential}\""),
            "audience=\"pricing\"",
            "scopes_asked=\"read\"",
            "scopes_granted=\"read\"",
            &format!("jti=\"{jti}\""),
            "lifetime=300",
            "outcome=\"issued\"",
        ] {
            assert!(line.contains(text), "{text} is not in {line}");
        }
        assert!(!line.contains(&token) && !line.contains(READER), "{line}");
    }

    async fn without_lines_of_tokens_the_checks_of_each_are_told_at_debug(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.log.issued = false).await;
        let (answer, line) = Asker::new(&replica).token("&scope=read").await;
        assert_eq!(answer.status, 200);
        for text in [
            "DEBUG",
            "outcome=\"issued\"",
            "passed=\"proxy, request, credentials, method, secret, budget, client, secret times, client status, grant, policy, scope, audience\"",
        ] {
            assert!(line.contains(text), "{text} is not in {line}");
        }
    }

    /// Strangers cause it, so nobody sees it who does not ask for it.
    async fn what_reaches_no_endpoint_has_a_line_at_debug(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        for (method, path, host, code, error) in [
            ("GET", "/kJ8vQ2xW9z0aB3cD4eF5", "auth.example", 404, "not_found"),
            ("GET", "/oauth2/token", "auth.example", 405, "method_not_allowed"),
            ("POST", "/oauth2/token", "a b", 400, "invalid_request"),
        ] {
            let request = Request::builder().method(method).uri(path).header(header::HOST, host);
            let (answer, line) = asker.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, code);
            for text in ["DEBUG", "refused before any endpoint", &format!("error=\"{error}\"")] {
                assert!(line.contains(text), "{text} is not in {line}");
            }
            assert!(!line.contains("kJ8v"), "{line}");
        }
    }

    /// The answer is the same for all of them; the record is not.
    async fn an_inactive_token_is_recorded_with_the_reason(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let token = replica.issued("reader", READER, "").await;
        let (input, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{input}.{}", "A".repeat(86));
        let cases = [
            ("garbage".to_owned(), "a compact JWS of strict JSON, or a sealed token", "not three parts separated by dots"),
            (forged, "a signature or a seal by its key", "one that this key did not make"),
        ];
        for (token, expected, found) in cases {
            assert_inactive(&asker, ("api", API), &token, (expected, found)).await;
        }
        let line = assert_inactive(&asker, ("reader", READER), &token, (
            "a caller in served_by of the token's audience",
            "a caller that does not serve pricing",
        )).await;
        assert!(line.contains("INFO"), "an operator must do something: {line}");
        env.clock.advance(Seconds::new(1));
        env.apply(&CATALOG.replace("grants = []", "grants = []\nstatus = \"active\"").replace(
            "id = \"reader\"",
            "id = \"reader\"\nstatus = \"disabled\"",
        )).await;
        replica.follow().await;
        let line = assert_inactive(&asker, ("api", API), &token, (
            "a client that exists and is active",
            "a client that is disabled",
        )).await;
        assert!(line.contains("DEBUG") && line.contains("audience=\"pricing\""), "{line}");
        env.apply(CATALOG).await;
        env.clock.advance(Seconds::new(400));
        replica.follow().await;
        assert_inactive(&asker, ("api", API), &token, ("exp in the future", "exp 101 s ago")).await;
    }

    async fn each_path_through_the_endpoints_ends_in_one_record(env) {
        env.apply(CATALOG).await;
        let starting = env.unloaded_replica(|_| {});
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let token = replica.issued("reader", READER, "").await;
        let token = format!("token={token}");
        let (reader, api) = (("reader", READER), ("api", API));
        let wrong = ("reader", "another secret of 1");
        for (path, who, form, outcome) in [
            (TOKEN, reader, GRANT, "outcome=\"issued\""),
            (TOKEN, reader, "", "error=\"invalid_request\""),
            (TOKEN, reader, "grant_type=password", "error=\"unsupported_grant_type\""),
            (TOKEN, wrong, GRANT, "error=\"invalid_client\""),
            (TOKEN, reader, &format!("{GRANT}&scope=x"), "error=\"invalid_scope\""),
            (TOKEN, reader, &format!("{GRANT}&audience=x"), "error=\"invalid_target\""),
            (TOKEN, api, GRANT, "error=\"unauthorized_client\""),
            (INTROSPECT, api, &token, "outcome=\"active\""),
            (INTROSPECT, api, "token=garbage", "outcome=\"inactive\""),
            (INTROSPECT, api, "", "error=\"invalid_request\""),
            (INTROSPECT, wrong, &token, "error=\"invalid_client\""),
            (REVOKE, api, &token, "error=\"invalid_grant\""),
            (REVOKE, reader, "", "error=\"invalid_request\""),
            (REVOKE, wrong, &token, "error=\"invalid_client\""),
            (REVOKE, reader, &token, "outcome=\"revoked\""),
            (REVOKE, reader, "token=garbage", "outcome=\"revoked\""),
            (INTROSPECT, api, &token, "outcome=\"inactive\""),
        ] {
            let (_, line) = asker.ask(path, who, form).await;
            assert!(line.contains(outcome), "{path} {form}: {line}");
        }
        let large = "a=".to_owned() + &"a".repeat(17 * 1024);
        let asker = Asker::new(&starting);
        for path in [TOKEN, INTROSPECT, REVOKE] {
            let (answer, line) = asker.ask(path, reader, &format!("{GRANT}&token=x")).await;
            answer.assert_error(503, "temporarily_unavailable");
            assert!(line.contains("error=\"temporarily_unavailable\""), "{line}");
            for (headers, form) in [
                (&[("content-type", "text/plain")][..], ""),
                (&[("content-encoding", "gzip")], ""),
                (&[], &large),
                (&[], "a=%"),
            ] {
                let (_, line) = asker.post(path, headers, form).await;
                assert!(line.contains("error=\"invalid_request\""), "{line}");
            }
        }
    }
}
