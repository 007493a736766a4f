//! Tests of the rules for assertions' claims.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::once::Once;
use crate::domain::timestamp::Timestamp;

const NOW: i64 = 1_767_225_600;
const ISSUER: &str = "https://auth.example";

fn rules() -> AssertionRules<'static> {
    AssertionRules {
        client_id: "worker",
        issuer: ISSUER,
        token_endpoint: None,
        audience_as_text: false,
        max_lifetime: Seconds::new(300),
        leeway: Seconds::new(10),
    }
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "worker", "sub": "worker", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1",
    });
    claims.as_object().unwrap().clone()
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims();
    claims.insert(name.to_owned(), value);
    claims
}

fn judge(claims: &Map<String, Value>) -> Result<(Once, bool), AssertionFault> {
    accept(claims, &rules(), Timestamp::from_unix(NOW))
}

/// 7523-03.
#[test]
fn each_required_claim_is_required_and_of_its_type() {
    assert!(judge(&claims()).is_ok());
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let mut without = claims();
        without.remove(name);
        assert_eq!(judge(&without), Err(AssertionFault::Absent(name)));
        for wrong in [json!(null), json!(true), json!({}), json!([[ISSUER]])] {
            assert!(judge(&with(name, wrong)).is_err(), "{name}");
        }
    }
    assert_eq!(
        judge(&with("jti", json!(1))),
        Err(AssertionFault::Malformed("jti"))
    );
}

/// 7523-04, B-R15.
#[test]
fn issuer_and_subject_are_the_client_byte_by_byte() {
    for name in ["iss", "sub"] {
        for other in ["Worker", "worker ", "worker/", "wörker", ""] {
            assert_eq!(
                judge(&with(name, json!(other))),
                Err(AssertionFault::NotTheClient(
                    name,
                    super::super::shown::plain(other)
                ))
            );
        }
    }
}

/// 7523-05, B-R16.
#[test]
fn the_audience_is_the_issuer_alone() {
    for good in [json!(ISSUER), json!([ISSUER])] {
        assert_eq!(
            judge(&with("aud", good)).map(|(_, names_token_endpoint)| names_token_endpoint),
            Ok(false)
        );
    }
    for wrong in [
        json!("https://auth.example/oauth2/token"),
        json!("https://auth.example/"),
        json!("https://auth.example:443"),
        json!("https://AUTH.example"),
        json!("http://auth.example"),
        json!([ISSUER, "https://other.example"]),
        json!([ISSUER, ISSUER]),
        json!([]),
        json!(""),
        json!([[ISSUER]]),
        json!({}),
    ] {
        let check = judge(&with("aud", wrong)).map_err(|fault| fault.explain().check);
        assert_eq!(check, Err(Check::AssertionAudience));
    }
}

#[test]
fn a_wrong_audience_is_shown_so_that_it_can_be_read() {
    for (wrong, shown) in [
        (
            json!("https://auth.example/oauth2/token"),
            "https://auth.example/oauth2/token",
        ),
        (json!(["a", 1]), "the list [a,1]"),
        (json!("a\nb"), "a\\nb"),
    ] {
        let fault = judge(&with("aud", wrong)).unwrap_err();
        assert_eq!(fault.explain().found, shown);
    }
}

#[test]
fn a_profile_may_want_the_audience_as_text() {
    let rules = AssertionRules {
        audience_as_text: true,
        ..rules()
    };
    let now = Timestamp::from_unix(NOW);
    assert!(accept(&claims(), &rules, now).is_ok());
    let list = accept(&with("aud", json!([ISSUER])), &rules, now);
    assert!(matches!(list, Err(AssertionFault::AudienceList(_))));
}

#[test]
fn a_registered_client_may_name_the_token_endpoint() {
    let endpoint = "https://auth.example/oauth2/token";
    let rules = AssertionRules {
        token_endpoint: Some(endpoint),
        ..rules()
    };
    let now = Timestamp::from_unix(NOW);
    let (_, names_token_endpoint) = accept(&with("aud", json!(endpoint)), &rules, now).unwrap();
    assert!(names_token_endpoint);
    assert!(accept(&claims(), &rules, now).is_ok());
    assert!(accept(&with("aud", json!([ISSUER, endpoint])), &rules, now).is_err());
}

/// 7523-07, B-R11.
#[test]
fn exp_is_ahead_within_the_leeway_and_not_too_far() {
    let exp = |at: i64| {
        judge(&with("exp", json!(NOW + at))).map(|(once, _)| once.life.dead_at.unix() - NOW)
    };
    assert_eq!(exp(-9), Ok(1));
    assert_eq!(exp(-10), Err(AssertionFault::Expired(10)));
    assert_eq!(exp(-300), Err(AssertionFault::Expired(300)));
    assert_eq!(exp(305), Ok(315));
    assert_eq!(exp(310), Ok(320));
    assert_eq!(exp(311), Err(AssertionFault::LivesTooLong(311)));
    let decade = 10 * 365 * 86_400;
    assert_eq!(exp(decade), Err(AssertionFault::LivesTooLong(decade)));
}

/// 7523-08.
#[test]
fn iat_and_nbf_are_past_within_the_leeway_and_iat_not_too_old() {
    let at = |name: &str, at: i64| judge(&with(name, json!(NOW + at))).map(|_| ());
    assert_eq!(at("iat", 10), Ok(()));
    assert_eq!(at("iat", 11), Err(AssertionFault::IssuedAhead(11)));
    assert_eq!(at("iat", -310), Ok(()));
    assert_eq!(at("iat", -311), Err(AssertionFault::TooOld(311)));
    assert_eq!(at("nbf", 10), Ok(()));
    assert_eq!(at("nbf", 11), Err(AssertionFault::NotYetValid(11)));
    let mut without = claims();
    without.remove("iat");
    assert!(judge(&without).is_ok());
}

/// B-J13: times that would overflow are refusals, never a panic (JOSE-11).
#[test]
fn a_numeric_date_is_a_number_of_our_era() {
    let fraction: Value = serde_json::from_str("1767225660.5").unwrap();
    assert_eq!(
        judge(&with("exp", fraction)).unwrap().0.life.dead_at.unix(),
        NOW + 70
    );
    let exponent: Value = serde_json::from_str("1.76722566e9").unwrap();
    assert!(judge(&with("exp", exponent)).is_ok());
    for name in ["exp", "iat", "nbf"] {
        for wrong in [
            "\"1767225660\"",
            "null",
            "true",
            "[1767225660]",
            "-1",
            "1e19",
            "1e300",
            "18446744073709551616",
        ] {
            let value: Value = serde_json::from_str(wrong).unwrap();
            assert_eq!(
                judge(&with(name, value)),
                Err(AssertionFault::Malformed(name)),
                "{wrong}"
            );
        }
    }
}

/// B-R09, B-R10.
#[test]
fn a_jti_has_1_to_256_bytes() {
    for (length, good) in [
        (0, false),
        (1, true),
        (255, true),
        (256, true),
        (257, false),
    ] {
        assert_eq!(
            judge(&with("jti", json!("x".repeat(length)))).is_ok(),
            good,
            "{length}"
        );
    }
    assert!(judge(&with("jti", json!("é".repeat(128)))).is_ok());
    assert!(judge(&with("jti", json!("é".repeat(129)))).is_err());
}

/// 8725-01.
#[test]
fn any_other_explicit_type_is_refused() {
    for good in [None, Some("JWT"), Some("client-authentication+jwt")] {
        assert_eq!(check_type(good), Ok(()));
    }
    for wrong in ["at+jwt", "dpop+jwt", "jwt", "", "token-introspection+jwt"] {
        let fault = AssertionFault::Type(unknown(wrong, []));
        assert_eq!(check_type(Some(wrong)), Err(fault));
    }
}

proptest! {
    /// The replay record must outlive the last instant at which the assertion could be accepted (B-R12).
    #[test]
    fn an_assertion_is_refused_from_dead_at_on(exp in 0..700_i64, later in 0..700_i64) {
        let claims = with("exp", json!(NOW + exp));
        if let Ok((once, _)) = judge(&claims) {
            let then = once.life.dead_at.unix() + later;
            prop_assert!(accept(&claims, &rules(), Timestamp::from_unix(then)).is_err());
        }
    }
}
