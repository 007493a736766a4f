//! A JWK set (RFC 7517 section 5) from any text, registered as `apply` does: no panic, no `kid` twice, and every
//! fault has a sentence.
#![no_main]

use std::collections::BTreeSet;

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::crypto::client_key::ClientKey;
use grantd::domain::credential::CredentialMaterial;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // What would end the string is no part of the set.
    if text.contains("'''") {
        return;
    }
    let catalog =
        format!("[[client]]\nid = \"a\"\nauth = \"private_key_jwt\"\njwks = '''{text}'''\n");
    let nothing = |_: &str| None;
    let catalog = match Catalog::parse("fuzz.toml", &catalog, &CatalogOptions::dev(&nothing)) {
        Ok(catalog) => catalog,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut names = BTreeSet::new();
    for credential in catalog.clients.iter().flat_map(|client| &client.credentials) {
        let CredentialMaterial::Jwk(jwk) = &credential.value.material else { unreachable!() };
        match ClientKey::parse(jwk) {
            Ok(key) => {
                assert_eq!(key.thumbprint().len(), 43);
                assert!(key.name() == key.thumbprint() || names.insert(key.name().to_owned()));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
