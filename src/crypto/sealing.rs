//! Sealing of private signing keys at rest: AES-256-GCM under a key that the operator keeps.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::digest::{base64url, decode_base64url, fixed, length_prefixed, sha256};
use super::process_key::ProcessKey;
use super::random::random_bytes;
use crate::domain::algorithm::SigningAlgorithm;

const KEY_LENGTH: usize = 32;
/// Bytes of the id of a sealing key.
pub(super) const KEY_ID_LENGTH: usize = 8;
/// Bytes that sealing adds at the end.
const TAG_LENGTH: usize = 16;

/// Why a sealing key cannot be read, or a sealed key cannot be opened.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    #[error("a sealing key is 32 raw bytes, or their base64 in 43 or 44 characters")]
    NotAKey,
    #[error(
        "the signing key {kid} was sealed with the sealing key {key_id}, which is not configured; \
         name its file in `old_key_files`"
    )]
    UnknownKey { kid: String, key_id: String },
    /// Changed since it was sealed, or sealed for another `kid` or algorithm.
    #[error("the sealed signing key {kid} was changed, or belongs to another row")]
    Altered { kid: String },
    #[error("sealing failed")]
    Failed,
}

/// A key-encryption key: hidden in `Debug`, wiped on drop.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; KEY_LENGTH]>);

/// The key that seals, and those that still open.
#[derive(Clone, Debug)]
pub struct SealingKeys {
    /// Seals; opens too.
    pub first: SealingKey,
    /// Only open.
    pub old: Vec<SealingKey>,
}

/// A sealed private key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the sealing key.
    pub key_id: String,
    /// base64url of nonce (12 bytes), ciphertext and tag (16 bytes).
    pub text: String,
}

impl SealingKey {
    /// Reads a key: 32 raw bytes, or 43 (44 with padding) characters base64 or base64url; one
    /// trailing line break is dropped.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealingError> {
        if let Ok(key) = bytes.try_into() {
            return Ok(Self(Zeroizing::new(key)));
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if let Ok(key) = line.try_into() {
            return Ok(Self(Zeroizing::new(key)));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let decoded = [STANDARD_NO_PAD, URL_SAFE_NO_PAD, STANDARD, URL_SAFE]
            .iter()
            .find_map(|alphabet| alphabet.decode(line).ok())
            .map(Zeroizing::new)
            .ok_or(SealingError::NotAKey)?;
        let key = decoded
            .as_slice()
            .try_into()
            .map_err(|_| SealingError::NotAKey)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// The key in 43 characters base64url, as [`Self::parse`] reads it: for the file that keeps it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url(self.0.as_slice()))
    }

    /// A public name: 16 hexadecimal characters of SHA-256 over a label and the key.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.id_bytes()))
    }

    /// The same name in its bytes.
    pub(super) fn id_bytes(&self) -> [u8; KEY_ID_LENGTH] {
        let labelled = Zeroizing::new(length_prefixed(&[b"grantd sealing key", self.0.as_slice()]));
        fixed(&sha256(&labelled))
    }

    /// The key for the purpose `label` that each holder of this key derives, and nobody else can.
    #[must_use]
    pub fn derive(&self, label: &str) -> ProcessKey {
        ProcessKey::derived(self.0.as_slice(), label)
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, SealingError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).map_err(|_| SealingError::Failed)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id())
    }
}

impl SealingKeys {
    /// One key that seals and opens.
    #[must_use]
    pub const fn new(first: SealingKey) -> Self {
        Self {
            first,
            old: Vec::new(),
        }
    }

    /// Seals the private key `kid` of `algorithm` with the first key.
    ///
    /// # Errors
    /// Where AES-GCM fails.
    pub fn seal(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
        plaintext: &[u8],
    ) -> Result<Sealed, SealingError> {
        // With room for the tag, so that no plaintext is left behind by growing.
        let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG_LENGTH));
        buffer.extend_from_slice(plaintext);
        let nonce = self
            .first
            .cipher()?
            .seal_in_place_append_tag(associated_data(kid, algorithm), &mut *buffer)
            .map_err(|_| SealingError::Failed)?;
        let text = base64url(&[nonce.as_ref().as_slice(), &buffer].concat());
        Ok(Sealed {
            key_id: self.first.id(),
            text,
        })
    }

    /// Opens what was sealed as the private key `kid` of `algorithm`, with whichever key sealed it.
    ///
    /// # Errors
    /// A missing sealing key, or what is not exactly what was sealed under that name.
    pub fn open(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let altered = || SealingError::Altered {
            kid: kid.to_owned(),
        };
        let key = self
            .find(&sealed.key_id)
            .ok_or_else(|| SealingError::UnknownKey {
                kid: kid.to_owned(),
                key_id: sealed.key_id.clone(),
            })?;
        let bytes = decode_base64url(&sealed.text).ok_or_else(altered)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN).ok_or_else(altered)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| altered())?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = key
            .cipher()?
            .open_in_place(nonce, associated_data(kid, algorithm), &mut buffer)
            .map_err(|_| altered())?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Opens and seals anew, with the first key.
    ///
    /// # Errors
    /// What does not open, or where AES-GCM fails.
    pub fn reseal(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
        sealed: &Sealed,
    ) -> Result<Sealed, SealingError> {
        self.seal(kid, algorithm, &self.open(kid, algorithm, sealed)?)
    }

    /// Whether `sealed` should be sealed anew, because an old key did it.
    #[must_use]
    pub fn is_outdated(&self, sealed: &Sealed) -> bool {
        sealed.key_id != self.first.id()
    }

    /// Whether the sealing key that `sealed` needs is here.
    #[must_use]
    pub fn has_key_of(&self, sealed: &Sealed) -> bool {
        self.find(&sealed.key_id).is_some()
    }

    /// These keys, but what is sealed from now on is sealed by the key that sealed `like`, where it is here.
    #[must_use]
    pub fn sealing_like(&self, like: &Sealed) -> Self {
        Self {
            first: self.find(&like.key_id).unwrap_or(&self.first).clone(),
            old: std::iter::once(&self.first)
                .chain(&self.old)
                .cloned()
                .collect(),
        }
    }

    fn find(&self, id: &str) -> Option<&SealingKey> {
        std::iter::once(&self.first)
            .chain(&self.old)
            .find(|key| key.id() == id)
    }
}

/// Ties the ciphertext to its row: a sealed key copied into another row does not open.
fn associated_data(kid: &str, algorithm: SigningAlgorithm) -> Aad<Vec<u8>> {
    Aad::from(length_prefixed(&[
        kid.as_bytes(),
        algorithm.as_str().as_bytes(),
    ]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ES256: SigningAlgorithm = SigningAlgorithm::Es256;

    #[test]
    fn a_key_is_read_raw_or_in_base64() {
        let raw: Vec<u8> = (0xe0..=0xff).collect();
        let id = SealingKey::parse(&raw).unwrap().id();
        assert_eq!(id.len(), 16);
        let texts = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|a| a.encode(&raw));
        for text in texts {
            for end in ["", "\n", "\r\n"] {
                assert_eq!(
                    SealingKey::parse(format!("{text}{end}").as_bytes())
                        .unwrap()
                        .id(),
                    id
                );
            }
        }
        let with_break = [raw.as_slice(), b"\n"].concat();
        assert_eq!(SealingKey::parse(&with_break).unwrap().id(), id);
        let ends_in_break = [&raw[..31], b"\n"].concat();
        assert_ne!(SealingKey::parse(&ends_in_break).unwrap().id(), id);
    }

    #[test]
    fn what_is_not_32_bytes_is_no_key() {
        for wrong in [
            "",
            "short",
            &"A".repeat(42),
            &"A".repeat(45),
            &"!".repeat(43),
        ] {
            assert_eq!(
                SealingKey::parse(wrong.as_bytes()).unwrap_err(),
                SealingError::NotAKey
            );
        }
        let two_breaks = format!("{}\n\n", "A".repeat(43));
        assert!(SealingKey::parse(two_breaks.as_bytes()).is_err());
        assert!(SealingKey::parse("A".repeat(44).as_bytes()).is_err());
    }

    #[test]
    fn a_key_reads_back_and_hides_itself() {
        let key = SealingKey::generate();
        assert_eq!(
            SealingKey::parse(key.to_text().as_bytes()).unwrap().id(),
            key.id()
        );
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }

    #[test]
    fn an_old_key_opens_and_a_missing_one_is_named() {
        let before = SealingKeys::new(SealingKey::generate());
        let sealed = before.seal("kid", ES256, b"private").unwrap();
        let mut after = SealingKeys::new(SealingKey::generate());
        let error = after.open("kid", ES256, &sealed).unwrap_err();
        assert!(error.to_string().contains(&before.first.id()));
        after.old.push(before.first.clone());
        assert_eq!(
            after.open("kid", ES256, &sealed).unwrap().as_slice(),
            b"private"
        );
        assert!(after.is_outdated(&sealed));
        assert!(!before.is_outdated(&sealed));
    }

    #[test]
    fn what_is_sealed_anew_opens_with_the_first_key_alone() {
        let before = SealingKeys::new(SealingKey::generate());
        let sealed = before.seal("kid", ES256, b"private").unwrap();
        let first = SealingKey::generate();
        let both = SealingKeys {
            first: first.clone(),
            old: vec![before.first.clone()],
        };
        let resealed = both.reseal("kid", ES256, &sealed).unwrap();
        let alone = SealingKeys::new(first);
        let opened = alone.open("kid", ES256, &resealed).unwrap();
        assert_eq!(opened.as_slice(), b"private");
        assert!(alone.reseal("kid", ES256, &sealed).is_err());
    }

    #[test]
    fn what_is_sealed_like_another_opens_with_the_same_key() {
        let old = SealingKeys::new(SealingKey::generate());
        let like = old.seal("one", ES256, b"private").unwrap();
        let both = SealingKeys {
            first: SealingKey::generate(),
            old: vec![old.first.clone()],
        };
        let sealed = both
            .sealing_like(&like)
            .seal("two", ES256, b"other")
            .unwrap();
        assert_eq!(
            old.open("two", ES256, &sealed).unwrap().as_slice(),
            b"other"
        );
        assert!(both.has_key_of(&sealed) && !SealingKeys::new(both.first).has_key_of(&sealed));
    }

    #[test]
    fn what_was_sealed_for_another_row_does_not_open() {
        let keys = SealingKeys::new(SealingKey::generate());
        let sealed = keys.seal("kid", ES256, b"private").unwrap();
        let altered = |kid: &str| SealingError::Altered {
            kid: kid.to_owned(),
        };
        assert_eq!(
            keys.open("dik", ES256, &sealed).unwrap_err(),
            altered("dik")
        );
        let other = keys.open("kid", SigningAlgorithm::Rs256, &sealed);
        assert_eq!(other.unwrap_err(), altered("kid"));
        for text in ["", "AAAA", "!", &sealed.text[..20]] {
            let cut = Sealed {
                text: text.to_owned(),
                ..sealed.clone()
            };
            assert_eq!(keys.open("kid", ES256, &cut).unwrap_err(), altered("kid"));
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_a_flipped_bit_does_not(
            kid in ".{0,50}",
            plaintext in prop::collection::vec(any::<u8>(), 0..300),
            place in any::<prop::sample::Index>(),
            bit in 0..8,
        ) {
            let keys = SealingKeys::new(SealingKey::generate());
            let sealed = keys.seal(&kid, ES256, &plaintext).unwrap();
            let opened = keys.open(&kid, ES256, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), &plaintext);
            let mut bytes = decode_base64url(&sealed.text).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= 1u8 << bit;
            let flipped = Sealed { text: base64url(&bytes), ..sealed };
            prop_assert!(keys.open(&kid, ES256, &flipped).is_err());
        }
    }
}
