//! The reader of `Authorization` (RFC 7617, RFC 6749 section 2.3.1) on any header value: no panic, and no NUL
//! passes.
#![no_main]

use grantd::http::basic::{Authorization, parse_authorization};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    if let Ok(Authorization::Basic { client_id, secret }) = parse_authorization(value) {
        assert!(!client_id.contains('\0') && !secret.expose().contains('\0'));
    }
});
