//! SHA-256, HMAC-SHA-256 and base64url (RFC 4648 section 5, as RFC 7515 appendix C uses it).

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::random::random_bytes;
use crate::domain::secret_format::{CHECKSUM_LENGTH, PresentedForm, Secret, presented_form};

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    fixed(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-384 of `bytes`.
#[must_use]
pub fn sha384(bytes: &[u8]) -> [u8; 48] {
    fixed(digest::digest(&digest::SHA384, bytes).as_ref())
}

/// `bytes` in base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that `text` means; nothing where it is padded, of another alphabet, or where its
/// last bits are not zero, so that no two texts mean the same bytes.
#[must_use]
pub fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The checksum of a generated secret: the first six characters of base64url(SHA-256(`text`)).
#[must_use]
pub fn secret_checksum(text: &str) -> String {
    let mut sum = base64url(&sha256(text.as_bytes()));
    sum.truncate(CHECKSUM_LENGTH);
    sum
}

/// Tells the form of a presented secret.
#[must_use]
pub fn present(secret: &Secret) -> PresentedForm {
    presented_form(secret, secret_checksum)
}

/// `x5t#S256` of a certificate (RFC 8705 section 3.1): base64url of SHA-256 of its DER encoding.
#[must_use]
pub fn certificate_thumbprint(der: &[u8]) -> String {
    base64url(&sha256(der))
}

/// Whether `presented` is the secret, in constant time.
#[must_use]
pub fn is_same_secret(presented: &[u8], secret: &Secret) -> bool {
    sha256(presented)
        .ct_eq(&sha256(secret.expose().as_bytes()))
        .into()
}

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

/// The parts one after the other, each after its length in eight bytes.
#[must_use]
pub fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| length(part).into_iter().chain(part.iter().copied()))
        .collect()
}

fn length(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

/// A SHA-256 output as an array; it always has 32 bytes.
fn fixed<const N: usize>(output: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(output) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sha_256_of_abc_is_that_of_fips_180() {
        assert_eq!(
            base64url(&sha256(b"abc")),
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        );
        assert_eq!(certificate_thumbprint(b"abc").len(), 43);
    }

    /// JOSE-07.
    #[test]
    fn base64url_that_is_padded_or_not_canonical_is_refused() {
        assert_eq!(decode_base64url("YQ"), Some(b"a".to_vec()));
        for wrong in ["YQ==", "YR", "Y", "Y Q", "YQ\n", "+/8", "é"] {
            assert_eq!(decode_base64url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_checksum_has_six_characters() {
        assert_eq!(secret_checksum("abc"), "ungWv4");
    }

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

    proptest! {
        #[test]
        fn what_decodes_is_the_only_text_of_its_bytes(text in "[A-Za-z0-9_-]{0,40}") {
            if let Some(bytes) = decode_base64url(&text) {
                prop_assert_eq!(base64url(&bytes), text);
            }
        }
    }
}
