use serde_json::{Map, Value, json};

use super::*;
use crate::domain::check::Check;
use crate::domain::once::Once;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::trusted_issuer::JtiUse;

const NOW: i64 = 1_767_225_600;
const AUDIENCE: &str = "https://auth.example";

fn rules() -> ForeignRules<'static> {
    ForeignRules {
        audience: Some(AUDIENCE),
        trust_domain: None,
        max_lifetime: Seconds::new(3600),
        jti: JtiUse::IfPresent,
        leeway: Seconds::new(10),
    }
}

fn with(changes: &Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": "https://ci.example", "sub": "repo:acme/shop", "aud": AUDIENCE, "iat": NOW - 5, "exp": NOW + 300, "jti": "1",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            _ => claims[name] = value.clone(),
        }
    }
    claims.as_object().unwrap().clone()
}

fn judge_by(rules: &ForeignRules<'_>, changes: &Value) -> Result<Option<Once>, ForeignFault> {
    accept(&with(changes), rules, Timestamp::from_unix(NOW))
}

fn judge(changes: &Value) -> Result<Option<Once>, ForeignFault> {
    judge_by(&rules(), changes)
}

#[test]
fn usual_claims_are_accepted_and_their_jti_counts_until_they_are_dead() {
    let once = judge(&json!({})).unwrap().unwrap();
    assert_eq!(once.jti, "1");
    assert_eq!(once.life.made_at.unix(), NOW - 5);
    assert_eq!(once.life.dead_at.unix(), NOW + 310);
}

/// FED-04.
#[test]
fn the_audience_is_the_one_that_is_demanded_and_no_other_beside_it() {
    assert!(judge(&json!({ "aud": [AUDIENCE] })).is_ok());
    for wrong in [
        json!("https://auth.example/oauth2/token"),
        json!("https://auth.example/"),
        json!("https://other.example"),
        json!([AUDIENCE, "https://other.example"]),
        json!([AUDIENCE, AUDIENCE]),
        json!([]),
        json!(7),
        json!({ "a": AUDIENCE }),
    ] {
        let fault = judge(&json!({ "aud": wrong })).unwrap_err();
        assert!(matches!(fault, ForeignFault::Audience(..)), "{fault:?}");
    }
    let absent = judge(&json!({ "aud": null }));
    assert_eq!(absent, Err(ForeignFault::Absent("aud")));
}

/// FED-05.
#[test]
fn times_are_past_or_ahead_within_the_leeway() {
    for (changes, fault) in [
        (json!({ "exp": NOW - 9 }), None),
        (json!({ "exp": NOW - 10 }), Some(ForeignFault::Expired(10))),
        (json!({ "exp": null }), Some(ForeignFault::Absent("exp"))),
        (json!({ "exp": "1" }), Some(ForeignFault::Malformed("exp"))),
        (
            json!({ "exp": 1e300 }),
            Some(ForeignFault::Malformed("exp")),
        ),
        (json!({ "exp": NOW - 5 + 3600 }), None),
        (
            json!({ "exp": NOW - 5 + 3601 }),
            Some(ForeignFault::LivesTooLong(3601, Seconds::new(3600))),
        ),
        (json!({ "iat": null, "exp": NOW + 3610 }), None),
        (
            json!({ "iat": null, "exp": NOW + 3611 }),
            Some(ForeignFault::LivesTooLong(3611, Seconds::new(3600))),
        ),
        (json!({ "iat": NOW + 10 }), None),
        (
            json!({ "iat": NOW + 11 }),
            Some(ForeignFault::Ahead("iat", 11)),
        ),
        (
            json!({ "iat": "now" }),
            Some(ForeignFault::Malformed("iat")),
        ),
        (json!({ "nbf": NOW + 10 }), None),
        (
            json!({ "nbf": NOW + 11 }),
            Some(ForeignFault::Ahead("nbf", 11)),
        ),
        (json!({ "nbf": [1] }), Some(ForeignFault::Malformed("nbf"))),
    ] {
        assert_eq!(judge(&changes).err(), fault, "{changes}");
    }
}

/// FED-13.
#[test]
fn a_jti_is_spent_as_the_issuer_says() {
    let by = |jti, changes: &Value| {
        let judged = judge_by(&ForeignRules { jti, ..rules() }, changes);
        judged.map(|once| once.map(|it| it.jti))
    };
    let (some, long) = (Some("1".to_owned()), "x".repeat(257));
    let none = json!({ "jti": null });
    assert_eq!(by(JtiUse::SingleUse, &json!({})), Ok(some.clone()));
    assert_eq!(by(JtiUse::IfPresent, &json!({})), Ok(some));
    assert_eq!(by(JtiUse::Ignore, &json!({})), Ok(None));
    assert_eq!(
        by(JtiUse::SingleUse, &none),
        Err(ForeignFault::Absent("jti"))
    );
    assert_eq!(by(JtiUse::IfPresent, &none), Ok(None));
    let malformed = Err(ForeignFault::Malformed("jti"));
    for wrong in [json!(""), json!(long), json!(7), json!(["1"])] {
        let is_long = wrong == json!(long);
        let wrong = json!({ "jti": wrong });
        assert_eq!(by(JtiUse::SingleUse, &wrong), malformed);
        assert_eq!(by(JtiUse::IfPresent, &wrong), malformed);
        let ignored = if is_long { malformed.clone() } else { Ok(None) };
        assert_eq!(by(JtiUse::Ignore, &wrong), ignored);
    }
}

/// FED-16.
#[test]
fn of_a_trust_domain_the_subject_is_an_id_of_it() {
    let rules = ForeignRules {
        trust_domain: Some("example.org"),
        ..rules()
    };
    let by = |sub: Value| judge_by(&rules, &json!({ "sub": sub }));
    assert!(by(json!("spiffe://example.org/ns/shop")).is_ok());
    for wrong in [
        "spiffe://example.org",
        "spiffe://other.example/ns/shop",
        "spiffe://example.org.other.example/ns/shop",
        "repo:acme/shop",
    ] {
        let fault = by(json!(wrong)).unwrap_err();
        assert!(
            matches!(fault, ForeignFault::NotOfTrustDomain(_)),
            "{wrong}"
        );
    }
    assert_eq!(
        judge(&json!({ "sub": null })),
        Err(ForeignFault::Absent("sub"))
    );
    assert_eq!(
        judge(&json!({ "sub": 7 })),
        Err(ForeignFault::Malformed("sub"))
    );
    assert_eq!(
        judge(&json!({ "sub": "" })),
        Err(ForeignFault::Malformed("sub"))
    );
}

/// FED-17.
#[test]
fn an_access_token_is_no_identity() {
    for typ in [None, Some("JWT"), Some("JOSE")] {
        for what in IssuerUse::ALL {
            assert_eq!(check_type(typ, *what), Ok(()));
        }
    }
    for typ in ["at+jwt", "application/at+jwt"] {
        assert!(check_type(Some(typ), IssuerUse::Client).is_err());
        assert!(check_type(Some(typ), IssuerUse::Grant).is_err());
        assert!(check_type(Some(typ), IssuerUse::Exchange).is_ok());
    }
    for typ in [
        "",
        "jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "logout+jwt",
    ] {
        for what in IssuerUse::ALL {
            assert!(check_type(Some(typ), *what).is_err(), "{typ}");
        }
    }
}

#[test]
fn each_claim_is_judged_by_itself() {
    let wrong = with(&json!({ "aud": "other", "exp": NOW - 300 }));
    let judged = judge_each(&wrong, &rules(), Timestamp::from_unix(NOW));
    let failed = judged.iter().filter(|it| matches!(it.result, Some(Err(_))));
    let failed: Vec<Check> = failed.map(|it| it.check).collect();
    assert_eq!(failed, [Check::ForeignAudience, Check::ForeignExpiry]);
}
