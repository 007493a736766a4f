//! The reader of compact JWS (RFC 7515 section 7.1) on any text: no panic, and what is signed is what came.
#![no_main]

use grantd::crypto::compact::CompactJws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(token) = CompactJws::parse(text) else { return };
    assert!(text.as_bytes().starts_with(token.signing_input()));
    assert!(!token.alg().is_empty());
});
