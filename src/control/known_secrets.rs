//! The secrets that `grantd dev` knows in clear, to be found wherever a client put one: whatever is shown of a request is
//! looked through for them.

use std::collections::{BTreeMap, HashSet};

use parking_lot::RwLock;

use crate::config::catalog::Catalog;
use crate::domain::credential::{CredentialMaterial, StatedSecret};
use crate::domain::secret_format::Secret;

/// A shorter secret is found only where it is all of a value: else it would be found in every word.
const SHORT: usize = 8;

/// Secrets, by their lengths in bytes.
#[derive(Default)]
pub(super) struct KnownSecrets(RwLock<BTreeMap<usize, HashSet<Box<[u8]>>>>);

impl KnownSecrets {
    /// Finds those alone from now on that were known when this was copied.
    pub(super) fn go_back_to(&self, earlier: &Self) {
        self.0.write().clone_from(&earlier.0.read());
    }

    /// What is known now.
    pub(super) fn copied(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }

    /// Finds this one from now on.
    pub(super) fn add(&self, secret: &Secret) {
        let bytes = secret.expose().as_bytes();
        let mut known = self.0.write();
        known.entry(bytes.len()).or_default().insert(bytes.into());
    }

    /// Finds all those from now on that `catalog` states in clear.
    pub(super) fn add_all(&self, catalog: &Catalog) {
        for credential in catalog.clients.iter().flat_map(|it| &it.credentials) {
            if let CredentialMaterial::Secret(StatedSecret::Clear(secret)) = &credential.material {
                self.add(secret);
            }
        }
    }

    /// Whether a secret stands in `text`.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// The text, with each secret in it left out.
    pub(super) fn without(&self, text: &str) -> String {
        let (mut told, mut rest) = (String::new(), text);
        while let Some((start, length)) = self.find(rest) {
            let before = rest.get(..start).unwrap_or_default();
            let secret = rest.get(start..start + length).unwrap_or_default();
            let number = secret.chars().count();
            told.push_str(before);
            told.push_str("(a secret of ");
            told.push_str(&number.to_string());
            told.push_str(" characters)");
            rest = rest.get(start + length..).unwrap_or_default();
        }
        told + rest
    }

    /// Where one begins, and its length.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let known = self.0.read();
        known.iter().rev().find_map(|(length, secrets)| {
            if *length < SHORT {
                return (secrets.contains(bytes)).then_some((0, *length));
            }
            let mut windows = bytes.windows(*length);
            Some((windows.position(|it| secrets.contains(it))?, *length))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_within_a_text_and_a_short_one_alone() {
        let known = KnownSecrets::default();
        for secret in ["orders-demo-secret", "demo-secret", "s", "a secret of"] {
            known.add(&Secret::new(secret.to_owned()));
        }
        for text in [
            "orders-demo-secret",
            "x orders-demo-secret;y",
            "s",
            "a demo-secret",
        ] {
            assert!(known.stand_in(text), "{text}");
        }
        for text in ["orders-demo-secre", "secrets", "", "demo", "a secret"] {
            assert!(!known.stand_in(text), "{text}");
        }
        let told = known.without("é orders-demo-secret, demo-secret!");
        assert_eq!(
            told,
            "é (a secret of 18 characters), (a secret of 11 characters)!"
        );
        assert_eq!(known.without("nothing"), "nothing");
    }
}
