//! The form parser (RFC 6749 section 3.2) on any body: no panic, and no parameter twice but `resource`.
#![no_main]

use grantd::http::form::Form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(form) = Form::parse_body(body) else { return };
    for name in ["grant_type", "client_id", "client_secret", "scope", "token"] {
        assert!(form.all(name).len() <= 1, "{name} stands twice");
        assert_ne!(form.get(name), Some(""), "an empty {name} counts as absent");
    }
});
