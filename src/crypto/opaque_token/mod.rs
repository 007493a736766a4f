//! Opaque access tokens: the claims of a JWT, sealed by the server for itself alone (AES-256-GCM).
//!
//! After the prefix stands, in base64url:
//!
//! ```text
//! version (1) | id of the sealing key (8) | salt (12) | nonce (12) | outer box
//! outer box   = sealed for the issuer: length of the audience (2) | audience | inner box
//! inner box   = sealed for the issuer and the audience: the claims as JSON
//! ```
//!
//! The key of each box is derived from the sealing key and the salt, so that it seals one token alone: there is no number
//! of tokens after which a random nonce of 96 bits would be too short. The outer box tells which audience the inner one is
//! for, to nobody but the server and without a row. Nothing is read before its box is open; so whatever a stranger
//! changes or invents fails at the same step, after the same work.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::digest::{base64url, decode_base64url, length_prefixed};
use super::process_key::ProcessKey;
use super::random::random_bytes;
use super::sealing::{KEY_ID_LENGTH, SealingKey, SealingKeys};
use crate::domain::access_token::OPAQUE_PREFIX;

/// What the first byte says.
const VERSION: u8 = 1;
/// What the keys of an issuer are derived for.
const LABEL: &str = "grantd opaque access token 1";
const SALT_LENGTH: usize = 12;
/// Bytes that sealing adds at the end.
const TAG_LENGTH: usize = 16;

/// Why a text is no token of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Not the prefix and base64url, or too short.
    Form,
    /// Sealed by a sealing key that is not here; its public id.
    UnknownKey(String),
    /// Changed since it was sealed, or sealed by another issuer.
    Altered,
}

/// What a token held.
#[derive(Debug)]
pub struct Opened {
    /// The public id of the sealing key.
    pub key_id: String,
    /// The audience that it was sealed for.
    pub audience: String,
    /// The claims as JSON.
    pub claims: Zeroizing<Vec<u8>>,
}

/// Seals and opens the tokens of one issuer.
#[derive(Debug)]
pub struct OpaqueTokens {
    issuer: String,
    first: IssuerKey,
    /// Only open.
    old: Vec<IssuerKey>,
}

/// A sealing key, for the tokens of one issuer.
struct IssuerKey {
    id: [u8; KEY_ID_LENGTH],
    root: ProcessKey,
}

/// The bytes of a token before its outer box.
struct Head<'t> {
    key_id: &'t [u8; KEY_ID_LENGTH],
    salt: &'t [u8; SALT_LENGTH],
    nonce: &'t [u8; NONCE_LEN],
}

impl OpaqueTokens {
    /// Those of `issuer`.
    #[must_use]
    pub fn new(issuer: &str, sealing: &SealingKeys) -> Self {
        Self {
            issuer: issuer.to_owned(),
            first: IssuerKey::of(&sealing.first),
            old: sealing.old.iter().map(IssuerKey::of).collect(),
        }
    }

    /// A token that holds `claims`; `None` where AES-GCM fails or the audience is longer than 64 KiB.
    #[must_use]
    pub fn seal(&self, audience: &str, claims: &[u8]) -> Option<String> {
        let (salt, nonce) = (random_bytes(), random_bytes());
        let head = Head {
            key_id: &self.first.id,
            salt: &salt,
            nonce: &nonce,
        };
        let length = u16::try_from(audience.len()).ok()?.to_be_bytes();
        let inner = self.inner_box(&self.first, &head, audience);
        let outer = self.outer_box(&self.first, &head);
        let sealed = inner.seal(&[claims])?;
        let sealed = outer.seal(&[&length, audience.as_bytes(), &sealed])?;
        let bytes = [&[VERSION][..], head.key_id, &salt, &nonce, &sealed].concat();
        Some(format!("{OPAQUE_PREFIX}{}", base64url(&bytes)))
    }

    /// What `token` holds.
    ///
    /// # Errors
    /// Anything that was not sealed here, and is not unchanged.
    pub fn open(&self, token: &str) -> Result<Opened, NotOpened> {
        let text = token.strip_prefix(OPAQUE_PREFIX).ok_or(NotOpened::Form)?;
        let bytes = decode_base64url(text).ok_or(NotOpened::Form)?;
        let (version, head, sealed) = Head::split(&bytes).ok_or(NotOpened::Form)?;
        let known = self.keys().find(|key| key.id == *head.key_id);
        // By some key and as our version in any case: neither a key that nobody has nor another version must be told from a
        // changed token by the time it takes.
        let opened = self.open_with(known.unwrap_or(&self.first), &head, sealed);
        let key_id = hex(*head.key_id);
        match (known, opened) {
            _ if version != VERSION => Err(NotOpened::Form),
            (None, _) => Err(NotOpened::UnknownKey(key_id)),
            (Some(_), None) => Err(NotOpened::Altered),
            (Some(_), Some((audience, claims))) => Ok(Opened {
                key_id,
                audience,
                claims,
            }),
        }
    }

    fn open_with(
        &self,
        key: &IssuerKey,
        head: &Head<'_>,
        sealed: &[u8],
    ) -> Option<(String, Zeroizing<Vec<u8>>)> {
        let content = self.outer_box(key, head).open(sealed)?;
        let (length, rest) = content.split_first_chunk::<2>()?;
        let (audience, sealed) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let audience = std::str::from_utf8(audience).ok()?;
        let claims = self.inner_box(key, head, audience).open(sealed)?;
        Some((audience.to_owned(), claims))
    }

    fn keys(&self) -> impl Iterator<Item = &IssuerKey> {
        std::iter::once(&self.first).chain(&self.old)
    }

    fn outer_box(&self, key: &IssuerKey, head: &Head<'_>) -> SealedBox {
        let parts = [b"issuer", self.issuer.as_bytes()];
        key.sealed_box(head, &parts)
    }

    fn inner_box(&self, key: &IssuerKey, head: &Head<'_>, audience: &str) -> SealedBox {
        let parts: [&[u8]; 3] = [b"audience", self.issuer.as_bytes(), audience.as_bytes()];
        key.sealed_box(head, &parts)
    }
}

impl IssuerKey {
    fn of(sealing: &SealingKey) -> Self {
        Self {
            id: sealing.id_bytes(),
            root: sealing.derive(LABEL),
        }
    }

    /// The box of this head that is `for_whom`: its key and what its content is tied to.
    fn sealed_box(&self, head: &Head<'_>, for_whom: &[&[u8]]) -> SealedBox {
        let derived_for = [for_whom, &[head.salt]].concat();
        let format: [&[u8]; 3] = [LABEL.as_bytes(), &[VERSION], head.key_id];
        SealedBox {
            key: Zeroizing::new(self.root.mac(&derived_for)),
            nonce: *head.nonce,
            associated_data: length_prefixed(&[&format, for_whom].concat()),
        }
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerKey({})", hex(self.id))
    }
}

impl<'t> Head<'t> {
    /// The version, the head, and the outer box behind it.
    fn split(bytes: &'t [u8]) -> Option<(u8, Self, &'t [u8])> {
        let (version, rest) = bytes.split_first()?;
        let (key_id, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (nonce, sealed) = rest.split_first_chunk()?;
        let head = Self {
            key_id,
            salt,
            nonce,
        };
        (sealed.len() >= TAG_LENGTH).then_some((*version, head, sealed))
    }
}

/// What seals one message, and no other.
struct SealedBox {
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; NONCE_LEN],
    associated_data: Vec<u8>,
}

impl SealedBox {
    fn cipher(&self) -> Option<(LessSafeKey, Nonce, Aad<&[u8]>)> {
        let key = UnboundKey::new(&AES_256_GCM, self.key.as_slice()).ok()?;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        Some((
            LessSafeKey::new(key),
            nonce,
            Aad::from(self.associated_data.as_slice()),
        ))
    }

    fn seal(&self, content: &[&[u8]]) -> Option<Vec<u8>> {
        // With room for the tag, so that no content is left behind by growing.
        let length: usize = content.iter().map(|part| part.len()).sum();
        let mut buffer = Vec::with_capacity(length + TAG_LENGTH);
        for part in content {
            buffer.extend_from_slice(part);
        }
        let (key, nonce, data) = self.cipher()?;
        key.seal_in_place_append_tag(nonce, data, &mut buffer)
            .ok()?;
        Some(buffer)
    }

    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        #[cfg(test)]
        TRIED.set(TRIED.get() + 1);
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let (key, nonce, data) = self.cipher()?;
        let length = key.open_in_place(nonce, data, &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

fn hex(id: [u8; KEY_ID_LENGTH]) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}

#[cfg(test)]
thread_local! {
    /// The boxes that were tried on this thread.
    static TRIED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests;
