use serde_json::Value;

use super::*;

/// A report with one of each verdict.
fn report() -> Report {
    let row = |case: Case, verdict, status, remark: Option<&str>| Row {
        name: case.as_str().to_owned(),
        verdict,
        status,
        why: case.expectation().why.to_owned(),
        standard: case.expectation().standard.to_owned(),
        remark: remark.map(str::to_owned),
        case: Some(case),
    };
    Report {
        api: "http://127.0.0.1:8090/a?b=\"c\"&d".to_owned(),
        audience: "pricing-api".to_owned(),
        rows: vec![
            row(Case::Good, Verdict::Ok, Some(200), None),
            row(
                Case::Expired,
                Verdict::Hole,
                Some(200),
                Some("accepted with 200 OK"),
            ),
            row(
                Case::AlgNone,
                Verdict::Fault,
                None,
                Some("no answer within 5s"),
            ),
            row(
                Case::TwoTokens,
                Verdict::Note,
                Some(403),
                Some("answers 403 where 400 or 401 is due"),
            ),
            row(Case::Huge, Verdict::Skipped, None, None),
        ],
        ended: None,
    }
}

#[test]
fn people_read_a_line_for_each_and_what_to_do_about_a_hole() {
    let text = report().written(Form::Text, false);
    for line in [
        "✓ good                          200",
        "✗ expired                       200  HOLE: accepted with 200 OK",
        "    It expired two minutes ago, longer than any usual leeway. (RFC 7519 section 4.1.4)",
        "    A token that leaked is good beyond its end.",
        "      golang-jwt    parse with jwt.WithExpirationRequired() and jwt.WithIssuedAt()",
        "✗ alg_none                      -    FAULT: no answer within 5s",
        "✓ two_tokens                    403  note: answers 403 where 400 or 401 is due",
        "- huge                          -    skipped",
        "1 hole, 1 fault, 1 note",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(
        report()
            .written(Form::Text, true)
            .contains("\x1b[32m✓\x1b[0m good")
    );
    let mut ended = report();
    ended.ended = Some("the API broke".to_owned());
    let text = ended.written(Form::Text, false);
    assert!(text.contains("Ended early: the API broke.\n"), "{text}");
}

#[test]
fn programs_read_the_same_as_json() {
    let json: Value = serde_json::from_str(&report().written(Form::Json, false)).unwrap();
    assert_eq!(json["api"], "http://127.0.0.1:8090/a?b=\"c\"&d");
    assert_eq!(json["audience"], "pricing-api");
    assert_eq!([&json["holes"], &json["faults"], &json["notes"]], [1, 1, 1]);
    let verdicts = json["results"].as_array().unwrap().iter();
    let verdicts: Vec<&str> = verdicts.map(|it| it["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["ok", "hole", "fault", "note", "skipped"]);
    let hole = &json["results"][1];
    assert_eq!(
        (&hole["name"], &hole["status"]),
        (&"expired".into(), &200.into())
    );
    assert_eq!(hole["standard"], "RFC 7519 section 4.1.4");
    assert!(json["results"][2]["status"].is_null());
}

#[test]
fn a_ci_reads_test_cases() {
    let xml = report().written(Form::Junit, false);
    for part in [
        r#"<testsuite name="http://127.0.0.1:8090/a?b=&quot;c&quot;&amp;d" tests="5" failures="1" errors="1" skipped="1">"#,
        r#"<testcase classname="pricing-api" name="good"/>"#,
        r#"name="expired"><failure type="hole" message="accepted with 200 OK">It expired two minutes ago"#,
        r#"name="alg_none"><error type="fault" message="no answer within 5s">"#,
        r#"name="two_tokens"><system-out>two_tokens: answers 403 where"#,
        r#"name="huge"><skipped/></testcase>"#,
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
    let mut nasty = report();
    nasty.rows[1].remark = Some("<a> & \"b\" \u{1b}[2J \u{ffff}".to_owned());
    let xml = nasty.written(Form::Junit, false);
    assert!(
        xml.contains(r#"message="&lt;a&gt; &amp; &quot;b&quot; [2J ""#),
        "{xml}"
    );
}

/// What the schema of SARIF 2.1.0 demands, and what GitHub's code scanning needs beyond it.
#[test]
fn a_code_scanner_reads_results_with_their_rules_and_places() {
    let sarif: Value = serde_json::from_str(&report().written(Form::Sarif, false)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let of = |list: &[Value], name: &str| -> Vec<String> {
        list.iter()
            .map(|it| it[name].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of(rules, "id"), ["expired", "alg_none", "two_tokens"]);
    assert_eq!(of(results, "ruleId"), of(rules, "id"));
    assert_eq!(of(results, "level"), ["error", "error", "note"]);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["ruleIndex"], index);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "http://127.0.0.1:8090/a?b=\"c\"&d");
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn every_entry_that_can_be_a_hole_comes_with_advice_for_five_libraries() {
    for case in Case::ALL {
        let advice = super::super::advice::of(*case);
        let libraries: Vec<&str> = advice.iter().map(|(library, _)| *library).collect();
        if !case.expectation().harm.is_empty() {
            let five = ["Spring", "jose", "PyJWT", "golang-jwt", "jsonwebtoken"];
            assert_eq!(libraries, five, "{case}");
        }
    }
}
