//! HMAC-SHA-256 (RFC 2104) under keys that never leave the process.

use std::fmt;

use aws_lc_rs::hmac;

use super::digest::{fixed, length};
use super::random::random_bytes;

/// A key that lives as long as the process: random for what is remembered and never stored, derived for what
/// processes with one secret agree on.
pub struct ProcessKey(hmac::Key);

impl ProcessKey {
    /// Draws a new key.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a random value is no default")]
    pub fn new() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &random_bytes::<32>()))
    }

    /// The key that everybody derives from the uniformly random `secret` for the purpose `label`: the first block
    /// of HKDF-Expand (RFC 5869 section 2.3), which cannot fail.
    #[must_use]
    pub(super) fn derived(secret: &[u8], label: &str) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
        context.update(label.as_bytes());
        context.update(&[1]);
        Self(hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref()))
    }

    /// HMAC-SHA-256 of the parts. Each part's length goes before it, so that no two lists of parts
    /// are the same bytes.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&length(part));
            context.update(part);
        }
        fixed(context.sign().as_ref())
    }
}

impl fmt::Debug for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf;

    use super::*;

    #[test]
    fn a_mac_tells_where_a_part_ends() {
        let key = ProcessKey::new();
        assert_eq!(key.mac(&[b"ab", b"c"]), key.mac(&[b"ab", b"c"]));
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.mac(&[b"ab"]), key.mac(&[b"ab", b""]));
        assert_ne!(key.mac(&[b"ab"]), ProcessKey::new().mac(&[b"ab"]));
        assert_eq!(format!("{key:?}"), "ProcessKey(hidden)");
    }

    #[test]
    fn a_derived_key_is_that_of_hkdf_expand_and_has_one_purpose() {
        let (secret, label) = ([7; 32], "a purpose");
        let key = ProcessKey::derived(&secret, label);
        let expanded = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &secret);
        let info = [label.as_bytes()];
        let expanded = ProcessKey(expanded.expand(&info, hmac::HMAC_SHA256).unwrap().into());
        assert_eq!(key.mac(&[b"a"]), expanded.mac(&[b"a"]));
        assert_ne!(
            key.mac(&[b"a"]),
            ProcessKey::derived(&secret, "another").mac(&[b"a"])
        );
        assert_ne!(
            key.mac(&[b"a"]),
            ProcessKey::derived(&[8; 32], label).mac(&[b"a"])
        );
    }
}
