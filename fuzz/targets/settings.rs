//! The settings reader on any text, without environment: no panic, and every fault has a sentence.
#![no_main]

use std::path::Path;

use grantd::config::settings::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Settings may name files: what this machine holds is not what is fuzzed.
    if text.contains("file") {
        return;
    }
    let document = Some(("fuzz.toml", text));
    if let Err(error) = Settings::parse(document, Path::new(""), std::iter::empty()) {
        assert!(!error.to_string().is_empty());
    }
});
