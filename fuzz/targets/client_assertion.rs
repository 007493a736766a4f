//! The claims of a client assertion (RFC 7523 section 3) on any JWS, and on any payload: no panic, and what is
//! accepted is refused from its `dead_at` on.
#![no_main]

use grantd::crypto::compact::CompactJws;
use grantd::crypto::strict_json::parse_object;
use grantd::domain::client_assertion::{AssertionRules, accept, check_type, claimed_client};
use grantd::domain::timestamp::{Seconds, Timestamp};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_767_225_600;

fuzz_target!(|text: &str| {
    let claims = match CompactJws::parse(text) {
        Ok(jws) => {
            let _ = check_type(jws.typ());
            Ok(jws.claims().clone())
        }
        Err(_) => parse_object(text.as_bytes()),
    };
    let Ok(claims) = claims else { return };
    let rules = AssertionRules {
        client_id: claimed_client(&claims).unwrap_or("worker"),
        issuer: "https://auth.example",
        token_endpoint: Some("https://auth.example/oauth2/token"),
        audience_as_text: false,
        max_lifetime: Seconds::new(300),
        leeway: Seconds::new(10),
    };
    match accept(&claims, &rules, Timestamp::from_unix(NOW)) {
        Ok((once, _)) => {
            assert!(once.life.dead_at.unix() > NOW && !once.jti.is_empty());
            assert!(accept(&claims, &rules, once.life.dead_at).is_err());
        }
        Err(fault) => {
            drop(fault.explain());
            let stricter = AssertionRules { audience_as_text: true, ..rules };
            assert!(accept(&claims, &stricter, Timestamp::from_unix(NOW)).is_err());
        }
    }
});
