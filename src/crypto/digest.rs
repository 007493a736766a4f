//! SHA-256, HMAC-SHA-256 and base64url (RFC 4648 section 5, as RFC 7515 appendix C uses it).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

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

/// The parts one after the other, each after its length in eight bytes.
#[must_use]
pub fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| length(part).into_iter().chain(part.iter().copied()))
        .collect()
}

pub(super) fn length(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

/// A SHA-256 output as an array; it always has 32 bytes.
pub(super) fn fixed<const N: usize>(output: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(output) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
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

    proptest! {
        #[test]
        fn what_decodes_is_the_only_text_of_its_bytes(text in "[A-Za-z0-9_-]{0,40}") {
            if let Some(bytes) = decode_base64url(&text) {
                prop_assert_eq!(base64url(&bytes), text);
            }
        }
    }
}
