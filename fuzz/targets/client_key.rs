//! A client's key (RFC 7517) from any text: no panic, and what is registered verifies some algorithm of ours.
#![no_main]

use grantd::crypto::client_key::ClientKey;
use grantd::domain::algorithm::SigningAlgorithm;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(key) = ClientKey::parse(text) else { return };
    assert!(key.is_named(key.name()));
    let mut verifiers =
        SigningAlgorithm::ALL.iter().filter_map(|algorithm| key.verifier(algorithm.as_str()));
    assert!(verifiers.clone().next().is_some());
    assert!(!verifiers.any(|verifier| verifier.verify(b"", &[])));
    assert!(key.verifier("none").is_none() && key.verifier("HS256").is_none());
});
