//! `grantd explain` as it is typed, beside a server that runs: exit status, JSON, and that no secret is told.

use grantd::crypto::digest::base64url;
use serde_json::{Value, json};

use crate::assertion::signer::TYPE;
use crate::catalogs::{client, reads};
use crate::cli::data::CATALOG;
use crate::place::{Dev, Ended, Place};
use crate::process::request;

/// With two methods for `reader`, and clients by certificate and by key.
fn catalog() -> String {
    let by = |id: &str, auth: &str| client(id, &format!("auth = \"{auth}\""), &reads("pricing"));
    let others = by("ledger", "self_signed_tls_client_auth") + &by("signs", "private_key_jwt");
    let by_both =
        "auth = [\"client_secret_basic\", \"client_secret_post\"]\nsecret = \"reader-secret\"";
    CATALOG.replace("secret = \"reader-secret\"", by_both) + "\n" + &others
}

fn running() -> (Place, Dev) {
    let place = Place::new();
    place.write("my.toml", &catalog());
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    (place, dev)
}

fn explain(place: &Place, line: &str) -> Ended {
    let words: Vec<&str> = line.split(' ').collect();
    let ended = place.run(&[&["explain"][..], &words, &["--data", "data"]].concat());
    for secret in ["reader-secret", "api-secret"] {
        assert!(
            !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
            "{line}: {ended:?}"
        );
    }
    ended
}

#[track_caller]
fn told(ended: &Ended, code: i32) -> Value {
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_request_that_nobody_sent_is_judged_by_each_method_in_turn() {
    let (place, dev) = running();
    let all = told(&explain(&place, "--client reader --output json"), 0);
    assert_eq!(
        (&all["outcome"], &all["method"]),
        (&json!("issued"), &json!("client_secret_basic"))
    );
    assert_eq!(all["would_issue"]["claims"]["iss"], dev.url("issuer"));
    assert_eq!(all["would_issue"]["claims"]["roles"], json!(["reader"]));
    let others = all["other_methods"].as_array().unwrap();
    assert_eq!(others.len(), 1);
    assert_eq!(
        (&others[0]["outcome"], &others[0]["method"]),
        (&json!("issued"), &json!("client_secret_post"))
    );
    let one = told(
        &explain(
            &place,
            "--client reader --method client_secret_post --output json",
        ),
        0,
    );
    assert_eq!(
        (&one["method"], &one["other_methods"]),
        (&json!("client_secret_post"), &json!([]))
    );
    let screen = explain(
        &place,
        "--client reader --scope read --audience pricing --source 192.0.2.1",
    );
    assert_eq!(screen.code, Some(0), "{screen:?}");
    assert_eq!(
        screen.stdout.matches("would issue:").count(),
        2,
        "{screen:?}"
    );
    for text in [
        "\"lifetime\": 300",
        "192.0.2.1",
        "client_secret_post",
        "\"alg\": \"ES256\"",
    ] {
        assert!(
            screen.stdout.contains(text),
            "{text} is not in {}",
            screen.stdout
        );
    }
}

#[test]
fn the_exit_status_says_whether_it_would_be_granted() {
    let (place, _dev) = running();
    let certificate = "--certificate data/client-ledger.pem";
    for (code, line) in [
        (0, "--client reader"),
        (0, "--client reader --dpop"),
        (0, "--client ledger"),
        (0, &format!("--client ledger {certificate}")),
        (
            1,
            "--client reader --certificate data/client-ledger.pem --method tls_client_auth",
        ),
        (1, "--client reader --scope write"),
        (1, "--client reader --audience nothing"),
        (1, "--client reader --grant password"),
        (1, "--client reader --method private_key_jwt"),
        (1, "--client api"),
        (1, "--client nobody"),
        (1, "--client reader --certificate nowhere.pem"),
        (2, "--client reader 01a22362-1828-76b5-8cab-6385043eef47"),
        (2, "--scope read"),
        (2, "01a22362-1828-76b5-8cab-6385043eef47 --dpop"),
        (2, "--client reader --method magic"),
        (2, "--client reader --source nowhere"),
    ] {
        let ended = explain(&place, line);
        assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
    }
    let told = told(&explain(&place, "--client nobody --output json"), 1);
    assert_eq!(
        (&told["outcome"], &told["would_issue"]),
        (&json!("invalid_client"), &json!(null))
    );
    let refused = explain(&place, "--client reader --scope write");
    assert!(
        refused.stdout.contains("FAILED") && refused.stdout.contains("what to do:"),
        "{refused:?}"
    );
}

/// Somebody may put a secret in the wrong place, or hand over a token with one in it.
#[test]
fn what_may_be_a_secret_is_not_repeated() {
    let (place, _dev) = running();
    let secret = "kJ8vQ2mZx7Lw4Rt9Yb3N";
    place.write("secret", secret);
    let header = base64url(format!("{{\"alg\":\"ES256\",\"kid\":\"{secret}\"}}").as_bytes());
    let claims = format!(
        "{{\"iss\":\"{secret}\",\"sub\":\"signs\",\"aud\":\"{secret}\",\"jti\":\"{secret}\"}}"
    );
    place.write(
        "jwt",
        &format!("{header}.{}.AAAA", base64url(claims.as_bytes())),
    );
    for line in [
        format!("--client {secret}"),
        format!("--client reader --scope {secret}"),
        format!("--client reader --audience {secret}"),
        format!("--client reader --grant {secret}"),
        format!("--token secret --as {secret}"),
        "--token secret".to_owned(),
        "--token jwt".to_owned(),
        "--assertion secret".to_owned(),
        "--assertion jwt".to_owned(),
    ] {
        for form in ["table", "json"] {
            let ended = explain(&place, &format!("{line} --output {form}"));
            assert_eq!(ended.code, Some(1), "{line}: {ended:?}");
            assert!(
                !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
                "{line}: {ended:?}"
            );
        }
    }
}

/// With a URL alone nothing says what the servers are like.
#[test]
fn who_names_the_database_alone_is_told_what_is_lacking() {
    let (place, dev) = running();
    let url = format!("sqlite://{}", place.path("data/grantd.db").display());
    let line = ["explain", "--client", "reader", "--database-url", &url];
    let ended = place.run(&line);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("GRANTD_SEALING__KEY_FILE"),
        "{ended:?}"
    );
    let key = place.path("data/sealing.key");
    let ended = crate::place::ended(place.grantd(&line).env("GRANTD_SEALING__KEY_FILE", &key));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("set GRANTD_ISSUER"), "{ended:?}");
    let mut command = place.grantd(&line);
    command
        .env("GRANTD_SEALING__KEY_FILE", &key)
        .env("GRANTD_ISSUER", "https://auth.example");
    let ended = crate::place::ended(command.args(["--output", "json"]));
    assert_eq!(
        told(&ended, 0)["would_issue"]["claims"]["iss"],
        "https://auth.example"
    );
    drop(dev);
}

#[test]
fn an_assertion_is_judged_from_a_file_or_standard_input_and_is_as_good_as_before() {
    let (place, dev) = running();
    let made = place.done(&[
        "token",
        "assertion",
        "signs",
        "--key",
        "data/client-signs.jwk.json",
        "--audience",
        dev.url("issuer"),
    ]);
    place.write("assertion.jwt", &made);
    let explained = told(
        &explain(&place, "--assertion assertion.jwt --output json"),
        0,
    );
    assert_eq!(
        (&explained["outcome"], &explained["client"]),
        (&json!("accepted"), &json!("signs"))
    );
    assert!(
        explained["skew_seconds"].as_i64().unwrap().abs() < 60,
        "{explained}"
    );
    let line = ["explain", "--assertion", "-", "--data", "data"];
    let ended = place.run_with_input(&line, &made);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("skew_seconds") && ended.stdout.contains("not used yet"),
        "{ended:?}"
    );
    assert!(!ended.stdout.contains(made.trim_end()), "{ended:?}");

    let form = format!(
        "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={}",
        made.trim_end()
    );
    let address = dev.authority().parse().unwrap();
    let (status, answer) = request(address, "POST /oauth2/token", &form).unwrap();
    assert_eq!(status, 200, "{answer}");
    let used = told(
        &explain(&place, "--assertion assertion.jwt --output json"),
        1,
    );
    let checks = used["checks"].as_array().unwrap();
    let once = checks
        .iter()
        .find(|it| it["id"] == "assertion_once")
        .unwrap();
    assert_eq!(
        (&once["passed"], &once["found"]),
        (&json!(false), &json!("one that was used before"))
    );
    let nothing = explain(&place, "--assertion nowhere");
    assert!(
        nothing.code == Some(1) && nothing.stderr.contains("nowhere cannot be read"),
        "{nothing:?}"
    );
}

#[test]
fn a_token_is_explained_while_the_server_runs_and_does_not_stand_in_what_is_told() {
    let (place, dev) = running();
    let token = dev.token("reader", "reader-secret");
    place.write("token", &format!("{token}\n"));
    let active = told(&explain(&place, "--token token --as api --output json"), 0);
    assert_eq!(
        (&active["outcome"], &active["answer"]["active"]),
        (&json!("active"), &json!(true))
    );
    let screen = explain(&place, "--token token");
    assert_eq!(screen.code, Some(0), "{screen:?}");
    assert!(
        !screen.stdout.contains(&token) && screen.stdout.contains("\"active\": true"),
        "{screen:?}"
    );
    let jti = active["jti"].as_str().unwrap();
    place.done(&[
        "token", "revoke", jti, "--reason", "INC-7", "--data", "data",
    ]);
    let revoked = explain(&place, "--token token --as api");
    assert_eq!(revoked.code, Some(1), "{revoked:?}");
    for text in [
        "inactive",
        "FAILED",
        "stopped: token_revoked by",
        "INC-7",
        "\"active\": false",
    ] {
        assert!(
            revoked.stdout.contains(text),
            "{text} is not in {}",
            revoked.stdout
        );
    }
    let not_served = told(
        &explain(&place, "--token token --as reader --output json"),
        1,
    );
    assert_eq!(not_served["outcome"], "inactive");
    for (code, line) in [
        (2, "--as api"),
        (2, "--token token --assertion token"),
        (2, "--token token --client api"),
        (
            1,
            "--client reader --grant client_credentials --subject-token token",
        ),
    ] {
        assert_eq!(explain(&place, line).code, Some(code), "{line}");
    }
}
