//! The public names of things: `client_id` (RFC 6749 appendix A.1), audience, credential id.

use std::borrow::Borrow;
use std::sync::Arc;

use super::shape::text_shape;

/// A `client_id`: 1 to 255 printable ASCII characters (RFC 6749 appendix A.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// An audience, the `aud` value: 1 to 255 visible ASCII characters, a name or an absolute URI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudienceId(Arc<str>);

/// The public name of a credential: 10 characters of `a-z0-9`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(Arc<str>);

/// What clients, logs and metrics call a trusted issuer: 1 to 32 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(Arc<str>);

/// A name that its grammar does not allow.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    #[error("a client id is 1 to 255 printable ASCII characters")]
    ClientId,
    #[error("an audience is 1 to 255 visible ASCII characters without quotation mark or backslash")]
    AudienceId,
    #[error(
        "an audience that is a URI has no fragment: no `resource` may have one (RFC 8707 section 2); remove the # and \
         what follows"
    )]
    AudienceFragment,
    #[error("a credential id is 10 characters of a-z and 0-9")]
    CredentialId,
    #[error("a trusted issuer is called by 1 to 32 characters of a-z, 0-9 and -")]
    IssuerId,
}

impl ClientId {
    /// Reads a `client_id`.
    ///
    /// # Errors
    /// What is empty, longer than 255 bytes or not printable ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let fits = (1..=255).contains(&text.len())
            && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidIdentifier::ClientId)
        }
    }
}

impl AudienceId {
    /// Reads an audience.
    ///
    /// # Errors
    /// What is empty, longer than 255 bytes or not visible ASCII, and an absolute URI with a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let fits = (1..=255).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if !fits {
            return Err(InvalidIdentifier::AudienceId);
        }
        // Most have no #, and need not be read as a URI.
        if text.contains('#') && fluent_uri::Uri::parse(text).is_ok() {
            return Err(InvalidIdentifier::AudienceFragment);
        }
        Ok(Self(text.into()))
    }
}

impl IssuerId {
    /// Reads the name of a trusted issuer.
    ///
    /// # Errors
    /// What is not 1 to 32 characters of `a-z0-9-`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(is_part) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidIdentifier::IssuerId)
        }
    }
}

impl CredentialId {
    /// The number of characters of a credential id.
    pub const LENGTH: usize = 10;

    /// Reads a credential id.
    ///
    /// # Errors
    /// What is not 10 characters of `a-z0-9`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let fits = text.len() == Self::LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidIdentifier::CredentialId)
        }
    }

    /// The id that follows from a SHA-256 hash: about 51 of its bits.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let id: String = hash
            .chunks_exact(2)
            .take(Self::LENGTH)
            .map(|pair| {
                pair.iter()
                    .fold(0, |number, byte| number * 256 + u32::from(*byte))
                    % 36
            })
            .filter_map(|number| char::from_digit(number, 36))
            .collect();
        Self(id.into())
    }
}

/// For names: `as_str`, and `Display` and `Debug` by that text.
macro_rules! reads_as_text {
    ($($name:ident),+) => {$(
        impl $name {
            #[expect(missing_docs, reason = "the text itself")]
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )+};
}
pub(super) use reads_as_text;

/// A cache finds it by its text.
macro_rules! found_by_text {
    ($($name:ident),+) => {$(
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}
found_by_text!(ClientId, AudienceId);

reads_as_text!(ClientId, AudienceId, CredentialId, IssuerId);
text_shape!(ClientId, AudienceId, CredentialId, IssuerId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_printable_ascii_of_bounded_length() {
        assert!(ClientId::parse("orders service/1").is_ok());
        assert!(ClientId::parse(&"a".repeat(255)).is_ok());
        for wrong in ["", "é", "a\0b", "a\nb", "\u{202e}x"] {
            assert_eq!(ClientId::parse(wrong), Err(InvalidIdentifier::ClientId));
        }
        assert!(ClientId::parse(&"a".repeat(256)).is_err());
    }

    #[test]
    fn an_audience_is_a_name_or_a_uri() {
        assert!(AudienceId::parse("pricing-api").is_ok());
        assert!(AudienceId::parse("https://api.example/v1?x=1").is_ok());
        for wrong in ["", "a b", "a\"b", "a\\b", "ä"] {
            assert_eq!(AudienceId::parse(wrong), Err(InvalidIdentifier::AudienceId));
        }
        for wrong in [
            "https://api.example/#v1",
            "https://api.example#",
            "urn:api#v1",
        ] {
            assert_eq!(
                AudienceId::parse(wrong),
                Err(InvalidIdentifier::AudienceFragment)
            );
        }
        assert!(AudienceId::parse("api#1").is_ok(), "no URI");
    }

    #[test]
    fn a_credential_id_follows_from_a_hash() {
        let id = CredentialId::from_hash(&[0xff; 32]);
        assert_eq!(CredentialId::parse(id.as_str()), Ok(id.clone()));
        assert_ne!(CredentialId::from_hash(&[7; 32]), id);
    }

    #[test]
    fn a_credential_id_is_ten_small_characters() {
        assert!(CredentialId::parse("k3v9x0q2ma").is_ok());
        for wrong in ["k3v9x0q2m", "k3v9x0q2maa", "K3v9x0q2ma", "k3v9-0q2ma"] {
            assert_eq!(
                CredentialId::parse(wrong),
                Err(InvalidIdentifier::CredentialId)
            );
        }
    }
}
