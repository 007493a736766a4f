//! A DPoP proof (RFC 9449 section 4.3) from any bytes, and its claims from any JSON object: no panic, and what is
//! accepted is for this request and is refused from its `dead_at` on.
#![no_main]

use std::sync::LazyLock;

use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::crypto::strict_json::parse_object;
use grantd::domain::issuer::Issuer;
use grantd::domain::profile::Profile;
use grantd::domain::target_uri::TargetUri;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::dpop::{Expected, Nonces, check_claims, judge_proof};
use libfuzzer_sys::fuzz_target;

/// When the proof of RFC 9449 figure 6, which is a seed, was made.
const NOW: i64 = 1_562_265_296;

static URI: LazyLock<TargetUri> =
    LazyLock::new(|| TargetUri::parse("https://server.example.com/token").unwrap());

/// Nonces that are demanded, and such that are not.
static NONCES: LazyLock<[Nonces; 2]> = LazyLock::new(|| {
    [true, false].map(|demanded| {
        let issuer = Issuer::parse("https://server.example.com", false).unwrap();
        Nonces::new(issuer, &SealingKeys::new(SealingKey::generate()), demanded)
    })
});

/// So what is asserted below can be reached.
static GOOD_PROOF: LazyLock<()> = LazyLock::new(|| {
    let expected = Expected {
        method: "POST",
        uris: std::slice::from_ref(&*URI),
        nonces: &NONCES[1],
        now: Timestamp::from_unix(NOW),
    };
    let proof = include_bytes!("../seeds/dpop_proof/figure_6");
    assert!(judge_proof(proof, Profile::Fapi2, &expected).is_ok());
});

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&GOOD_PROOF);
    let claims = parse_object(bytes);
    let uris = std::slice::from_ref(&*URI);
    for nonces in &*NONCES {
        let at =
            |seconds| Expected { method: "POST", uris, nonces, now: Timestamp::from_unix(seconds) };
        for profile in Profile::ALL {
            match judge_proof(bytes, *profile, &at(NOW)) {
                Ok(accepted) => {
                    assert!(accepted.once().life.dead_at.unix() > NOW && accepted.said() == &*URI);
                    assert_eq!(accepted.key().len(), 43);
                    let dead = at(accepted.once().life.dead_at.unix());
                    assert!(judge_proof(bytes, *profile, &dead).is_err());
                }
                Err(fault) => drop(fault.explain()),
            }
        }
        let Ok(claims) = &claims else { continue };
        if let Ok((once, uri)) = check_claims(claims, &at(NOW)) {
            assert!(once.life.dead_at.unix() > NOW && uri == *URI);
            assert!((1..=256).contains(&once.jti.len()));
            assert!(check_claims(claims, &at(once.life.dead_at.unix())).is_err());
        }
    }
});
