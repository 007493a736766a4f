//! What `verify-api` says of an API that breaks, of one that is rude, and of wrong usage.

use serde_json::Value;

use super::api::Manner;
use super::hole::Hole;
use super::*;
use crate::control::{JSON, request};

/// The verdict on one entry.
fn verdict<'r>(report: &'r Value, name: &str) -> &'r str {
    let mut results = report["results"].as_array().unwrap().iter();
    let result = results.find(|it| it["name"] == name).unwrap();
    result["verdict"].as_str().unwrap()
}

#[test]
fn an_api_that_breaks_has_a_fault_and_is_asked_on() {
    let site = Site::start();
    for manner in [Manner::Breaks, Manner::HangsUp, Manner::Hangs] {
        let (code, report) = site.report(&site.api(None, manner), &["--timeout", "1s"]);
        assert_eq!(code, Some(1), "{manner:?}: {report}");
        assert_eq!(
            (&report["faults"], &report["holes"]),
            (&1.into(), &0.into()),
            "{report}"
        );
        assert_eq!(verdict(&report, "two_tokens"), "fault");
        assert_eq!(verdict(&report, "huge"), "ok", "what comes after it");
    }
}

#[test]
fn manners_are_worth_a_note() {
    let site = Site::start();
    for (manner, name) in [
        (Manner::Rude, "expired"),
        (Manner::Redirects, "alg_none"),
        (Manner::Repeats, "wrong_issuer"),
    ] {
        let (code, report) = site.report(&site.api(None, manner), &[]);
        assert_eq!(code, Some(0), "{manner:?}: {report}");
        assert_eq!(verdict(&report, name), "note", "{manner:?}");
        assert_eq!(verdict(&report, "good"), "ok", "{manner:?}");
    }
}

#[test]
fn an_api_that_no_longer_takes_what_is_good_has_a_fault_and_is_left_alone() {
    let site = Site::start();
    let (code, report) = site.report(&site.api(None, Manner::Sulks), &[]);
    assert_eq!(code, Some(1), "{report}");
    assert_eq!(verdict(&report, "good"), "fault");
    assert_eq!(verdict(&report, "huge"), "skipped");
    let remark = &report["results"][0]["remark"];
    assert!(
        remark.as_str().unwrap().contains("and not after"),
        "{remark}"
    );
}

#[test]
fn without_good_nothing_else_is_tried_and_what_is_usually_wrong_is_said() {
    let site = Site::start();
    let ended = site.verify(&site.api(None, Manner::Refuses).url, &[]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(2), ""),
        "{ended:?}"
    );
    for word in [
        "401",
        "WWW-Authenticate",
        "issuer",
        "pricing-api",
        "at+jwt",
        "JWKS",
    ] {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
    let ended = site.verify("http://127.0.0.1:1/prices", &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("Start the API first"), "{ended:?}");
    // The audience is another's.
    let api = site.api(None, Manner::Right);
    let ended = site.place.run(&[
        "verify-api",
        &api.url,
        "--audience",
        "orders-api",
        "--control",
        &site.control,
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn a_clock_that_was_moved_tells_nothing_of_an_api() {
    let site = Site::start();
    let api = site.api(None, Manner::Right);
    let put = |body: &str| {
        let (status, ..) = request(&site.control, "PUT /_test/clock", JSON, body);
        assert_eq!(status, 200);
    };
    for moved in [r#"{"advance":"1h"}"#, r#"{"freeze":true}"#] {
        put(moved);
        let ended = site.verify(&api.url, &[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(r#"-d '{"reset":true}'"#), "{ended:?}");
        put(r#"{"reset":true}"#);
    }
    assert_eq!(site.verify(&api.url, &[]).code, Some(0));
}

#[test]
fn wrong_usage_is_told_from_a_verdict() {
    let site = Site::start();
    let api = site.api(None, Manner::Right);
    for (more, said) in [
        (&["--only", "expird"][..], "expired"),
        (&["--audience", "pricing"], "pricing-api"),
        (&["--client", "order-service"], "orders-service"),
        (
            &["--header", "Authorization: Bearer x"],
            "leave Authorization",
        ),
        (&["--mtls"], "https"),
        (&["--control", "http://127.0.0.1:1"], "control listener"),
        (&["--ca-file", "none.pem"], "none.pem"),
        (&["--data", "none"], "none"),
    ] {
        let usual = [
            "verify-api",
            &api.url,
            "--audience",
            "pricing-api",
            "--control",
            &site.control,
        ];
        // The last one counts.
        let kept: Vec<&str> = match more[0] {
            "--audience" => vec!["verify-api", &api.url, "--control", &site.control],
            "--control" => vec!["verify-api", &api.url, "--audience", "pricing-api"],
            _ => usual.to_vec(),
        };
        let ended = site.place.run(&[&kept[..], more].concat());
        assert_eq!(ended.code, Some(2), "{more:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{more:?}: {}", ended.stderr);
    }
    let elsewhere = site.verify("http://192.0.2.1/prices", &[]);
    assert_eq!(elsewhere.code, Some(2));
    assert!(
        elsewhere.stderr.contains("--allow-host 192.0.2.1"),
        "{elsewhere:?}"
    );
    let nowhere = site
        .place
        .run(&["verify-api", &api.url, "--audience", "pricing-api"]);
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.stderr.contains("--ready-file"), "{nowhere:?}");
}

#[test]
fn some_entries_can_be_chosen_or_left_out() {
    let site = Site::start();
    let api = site.api(Some(Hole::NoExp), Manner::Right);
    let (code, report) = site.report(&api, &["--only", "expired,alg_none"]);
    assert_eq!((code, &report["holes"]), (Some(1), &1.into()));
    assert_eq!(verdict(&report, "good"), "ok");
    assert_eq!(verdict(&report, "exp_missing"), "skipped");
    let names = Hole::NoExp.found_by().join(",");
    let (code, report) = site.report(&api, &["--skip", &names]);
    assert_eq!((code, &report["holes"]), (Some(0), &0.into()), "{report}");
}

#[test]
fn a_report_goes_to_a_file_and_the_ready_file_says_where_to_ask() {
    let site = Site::start();
    let api = site.api(Some(Hole::NoNbf), Manner::Right);
    for (form, content) in [
        ("text", "HOLE: accepted with 200 OK"),
        ("json", r#""verdict": "hole""#),
        ("junit", r#"<failure type="hole""#),
        ("sarif", r#""ruleId": "not_yet_valid""#),
    ] {
        let ended = site.place.run(&[
            "verify-api",
            &api.url,
            "--audience",
            "pricing-api",
            "--ready-file",
            "dev.ready",
            "--report",
            form,
            "--output",
            "report",
        ]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("1 hole, no faults"), "{ended:?}");
        let report = std::fs::read_to_string(site.place.path("report")).unwrap();
        assert!(report.contains(content), "{report}");
    }
}
