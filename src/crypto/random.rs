//! Random bytes, credential ids, token ids (`jti`, RFC 7519 section 4.1.7) and secrets.

use zeroize::Zeroizing;

use super::digest::{base64url, secret_checksum};
use crate::domain::identifier::CredentialId;
use crate::domain::secret_format::{Secret, assemble};

/// `N` bytes of the system's random number generator.
///
/// # Panics
/// Where the system has no random numbers: nothing that grantd does is safe then.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "without random numbers no answer would be safe"
)]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// A new credential id; each of the 36 characters is equally likely at each place.
#[must_use]
pub fn credential_id() -> CredentialId {
    loop {
        // Every run draws enough with overwhelming likelihood; the loop is for the rest.
        let text: String = random_bytes::<32>()
            .into_iter()
            .filter_map(letter)
            .take(CredentialId::LENGTH)
            .collect();
        if let Ok(id) = CredentialId::parse(&text) {
            return id;
        }
    }
}

/// A new id of an event, an assertion or the like: 22 characters base64url of 128 random bits.
#[must_use]
pub fn token_id() -> String {
    base64url(&random_bytes::<16>())
}

/// A new id of an audit event: those of one process sort by the time when they were made.
#[must_use]
pub fn event_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A new `jti` of an access token (RFC 9068 section 2.2): the id of the credential that it was issued for, a dot, and
/// 128 random bits.
#[must_use]
pub fn access_token_id(credential: &CredentialId) -> String {
    format!("{credential}.{}", token_id())
}

/// A new secret of 256 random bits that names `id`.
#[must_use]
pub fn generated_secret(id: &CredentialId) -> Secret {
    let bytes = Zeroizing::new(random_bytes::<32>());
    assemble(
        id,
        &Zeroizing::new(base64url(bytes.as_slice())),
        secret_checksum,
    )
}

/// One of `a-z0-9`, or nothing: 252 is the last multiple of 36, and what lies past it would make
/// some characters likelier than others.
fn letter(byte: u8) -> Option<char> {
    (byte < 252).then(|| match byte % 36 {
        number @ 0..26 => char::from(b'a' + number),
        number => char::from(b'0' + number - 26),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::crypto::digest::present;
    use crate::domain::secret_format::{LENGTH, PresentedForm};

    #[test]
    fn every_character_is_equally_likely() {
        let mut seen = BTreeMap::new();
        for character in (0..=u8::MAX).filter_map(letter) {
            *seen.entry(character).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 36);
        assert!(seen.values().all(|count| *count == 7));
    }

    #[test]
    fn a_generated_secret_is_recognised_and_names_its_credential() {
        for _ in 0..100 {
            let id = credential_id();
            let secret = generated_secret(&id);
            assert_eq!(secret.expose().len(), LENGTH);
            assert_eq!(present(&secret), PresentedForm::Generated(id));
        }
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids: BTreeSet<_> = (0..1000).map(|_| token_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 22));
        let ids: BTreeSet<_> = (0..1000).map(|_| credential_id()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
