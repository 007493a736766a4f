//! The catalog reader on any text: no panic, and every fault has a place and a sentence.
#![no_main]

use grantd::config::catalog::{Catalog, CatalogOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // A catalog may name files: what this machine holds is not what is fuzzed.
    if text.contains("file") {
        return;
    }
    let nothing = |_: &str| None;
    if let Err(error) = Catalog::parse("fuzz.toml", text, &CatalogOptions::dev(&nothing)) {
        assert!(!error.to_string().is_empty());
    }
});
