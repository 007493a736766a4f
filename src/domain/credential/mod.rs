//! A credential: one way for a client to prove itself.

mod material;
pub mod rules;
mod stated;
mod subject;

pub use material::{CredentialKind, CredentialMaterial, PublicMaterial, SecretForm, SecretHash};
pub use stated::{CredentialShape, Lifespan, StatedCredential, StatedSecret};
pub use subject::{SubjectKind, SubjectName, is_same_mailbox};

use std::net::IpAddr;

use super::client::named;
use super::identifier::CredentialId;
use super::timestamp::{Seconds, Timestamp};

/// After this, every token issued now has expired: the longest lifetime is a day, plus the difference of clocks.
const LAST_TOKEN_EXPIRED: Seconds = Seconds::new(25 * 3600);

/// One credential of a client. What it proves never changes; a new secret is a new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The public name.
    pub id: CredentialId,
    /// A name for people.
    pub label: Option<String>,
    /// What it proves with.
    pub material: CredentialMaterial,
    /// Not accepted before.
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    pub retired_at: Option<Timestamp>,
    /// Tokens issued for it up to and including this second are dead: it was compromised.
    pub tokens_not_before: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used; written in batches, so up to a minute late.
    pub last_used_at: Option<Timestamp>,
    /// The source address of that use.
    pub last_used_from: Option<IpAddr>,
}

named! {
    /// Where a credential stands in its life.
    CredentialState {
        /// It is accepted.
        Live = "live",
        /// Its `active_from` is ahead.
        NotYetActive = "not active yet",
        /// Its `expires_at` is past.
        Expired = "expired",
        /// It was retired: whoever still uses it should be found.
        Retired = "retired",
    }
}

impl Credential {
    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> CredentialState {
        if self.retired_at.is_some_and(|at| at <= now) {
            CredentialState::Retired
        } else if self.expires_at.is_some_and(|at| at <= now) {
            CredentialState::Expired
        } else if self.active_from.is_some_and(|at| at > now) {
            CredentialState::NotYetActive
        } else {
            CredentialState::Live
        }
    }

    /// Whether tokens may still live at `now` that its `tokens_not_before` keeps dead.
    #[must_use]
    pub fn kills_tokens(&self, now: Timestamp) -> bool {
        self.tokens_not_before.plus(LAST_TOKEN_EXPIRED) > now
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.material.kind()
    }

    /// As a document, without its material.
    #[must_use]
    pub fn shape(&self) -> CredentialShape {
        CredentialShape {
            id: Some(self.id.clone()),
            value: None,
            ca: self.material.ca().map(str::to_owned),
            label: self.label.clone(),
            active_from: self.active_from,
            expires_at: self.expires_at,
            retired_at: self.retired_at,
        }
    }

    /// What a document says of it beside its material.
    #[must_use]
    pub fn lifespan(&self) -> Lifespan {
        Lifespan {
            label: self.label.clone(),
            active_from: self.active_from,
            expires_at: self.expires_at,
            retired_at: self.retired_at,
        }
    }

    /// The hash, where it is a secret.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretHash> {
        match &self.material {
            CredentialMaterial::Secret(hash) => Some(hash),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_lives_from_active_from_until_it_expires_or_retires() {
        let at = Timestamp::from_unix;
        let mut credential = Credential {
            id: CredentialId::parse("k3v9x0q2ma").unwrap(),
            label: None,
            material: CredentialMaterial::Jwk(String::new()),
            active_from: Some(at(10)),
            expires_at: Some(at(20)),
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: at(0),
            last_used_at: None,
            last_used_from: None,
        };
        assert_eq!(credential.state(at(9)), CredentialState::NotYetActive);
        assert_eq!(credential.state(at(10)), CredentialState::Live);
        assert_eq!(credential.state(at(19)), CredentialState::Live);
        assert_eq!(credential.state(at(20)), CredentialState::Expired);
        credential.retired_at = Some(at(15));
        assert_eq!(credential.state(at(14)), CredentialState::Live);
        assert_eq!(credential.state(at(15)), CredentialState::Retired);
        assert_eq!(credential.state(at(25)), CredentialState::Retired);
    }
}
