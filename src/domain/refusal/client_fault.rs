//! Faults of client authentication; to the client all of them look the same (STANDARDS 6749-21).

use super::FailedCheck;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::client::AuthMethod;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::CredentialState;
use crate::domain::identifier::CredentialId;

/// Why a client did not prove itself. All of them give the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFault {
    /// No credentials at all.
    NoCredentials,
    /// A scheme of `Authorization` other than Basic.
    UnknownScheme,
    /// The assertion proves nothing.
    Assertion(AssertionFault),
    /// No such client.
    UnknownClient,
    /// The client is disabled.
    Disabled,
    /// The client was deleted.
    Deleted,
    /// The server's profile forbids this method.
    MethodForbidden(AuthMethod),
    /// The client did not register this method.
    MethodNotRegistered {
        /// The method used.
        used: AuthMethod,
        /// The registered ones.
        registered: Vec<AuthMethod>,
    },
    /// Begins like a generated secret, but its checksum is wrong: mistyped or cut.
    SecretMistyped,
    /// Longer than any secret or outside printable ASCII.
    SecretImpossible,
    /// No live secret of the client is this one.
    SecretWrong,
    /// The secret is right, but not active yet.
    SecretNotYetActive(CredentialId),
    /// The secret is right, but expired.
    SecretExpired(CredentialId),
    /// The secret is right, but was retired: somebody still uses it.
    SecretRetired(CredentialId),
    /// A client certificate that proves nothing.
    Certificate(CertificateFault),
}

impl ClientFault {
    /// The right credential of this method, which does not count now.
    #[must_use]
    pub fn dead_credential(method: AuthMethod, id: &CredentialId, state: CredentialState) -> Self {
        let id = id.clone();
        match (method, state) {
            (AuthMethod::PrivateKeyJwt, state) => {
                Self::Assertion(AssertionFault::DeadKey(id, state))
            }
            (AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth, _) => {
                Self::Certificate(CertificateFault::NotLive(id))
            }
            (_, CredentialState::NotYetActive) => Self::SecretNotYetActive(id),
            (_, CredentialState::Expired) => Self::SecretExpired(id),
            (_, CredentialState::Retired) => Self::SecretRetired(id),
            (_, CredentialState::Live) => Self::SecretWrong,
        }
    }

    pub(super) fn check(&self) -> FailedCheck {
        let (name, expected, found) = match self {
            Self::NoCredentials => ("credentials", "client credentials", "none".to_owned()),
            Self::UnknownScheme => (
                "credentials",
                "the scheme Basic",
                "another scheme".to_owned(),
            ),
            Self::Assertion(fault) => {
                let (expected, found, _) = fault.explained();
                ("assertion", expected, found)
            }
            Self::UnknownClient => ("client", "a registered client", "an unknown id".to_owned()),
            Self::Disabled => ("client status", "active", "disabled".to_owned()),
            Self::Deleted => ("client status", "active", "deleted".to_owned()),
            Self::MethodForbidden(used) => (
                "method",
                "a method that the profile allows",
                used.to_string(),
            ),
            Self::MethodNotRegistered { used, registered } => (
                "method",
                "a registered method",
                format!("{used}, registered: {}", join(registered)),
            ),
            Self::SecretMistyped => ("secret", "a right checksum", "a wrong one".to_owned()),
            Self::SecretImpossible => (
                "secret",
                "at most 1024 printable ASCII characters",
                "something else".to_owned(),
            ),
            Self::SecretWrong => (
                "secret",
                "a live secret of the client",
                "another".to_owned(),
            ),
            Self::SecretNotYetActive(id) => ("secret times", "active", format!("{id}, early")),
            Self::SecretExpired(id) => ("secret times", "not expired", format!("{id}, expired")),
            Self::SecretRetired(id) => ("secret times", "not retired", format!("{id}, retired")),
            Self::Certificate(fault) => (
                "certificate",
                "a live certificate of the client",
                fault.to_string(),
            ),
        };
        FailedCheck {
            name,
            expected: expected.to_owned(),
            found,
            remedy: self.remedy(),
        }
    }

    fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Assertion(fault) => fault.explained().2,
            Self::Disabled => Some("enable it: status = active in the catalog, then grantd apply"),
            Self::MethodNotRegistered { .. } => Some(
                "register the method in the catalog's auth, or let the client use a registered one",
            ),
            Self::SecretMistyped => Some("copy the whole secret again: 67 characters"),
            Self::SecretExpired(_) | Self::SecretRetired(_) => Some(
                "give the client its current secret: grantd credential list shows which are live",
            ),
            Self::NoCredentials => Some(
                "let the client send a secret, an assertion, or its client_id at the mutual-TLS endpoint with a \
                 certificate (behind a proxy in the header that [proxy] names)",
            ),
            Self::UnknownClient => Some("compare the id with grantd client list"),
            Self::SecretWrong => Some(
                "give the client its secret again; in a Basic header + and % of a secret must be form-encoded",
            ),
            Self::Certificate(fault) => fault.remedy(),
            _ => None,
        }
    }
}

fn join(methods: &[AuthMethod]) -> String {
    methods
        .iter()
        .map(|method| method.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

impl From<AssertionFault> for ClientFault {
    fn from(fault: AssertionFault) -> Self {
        Self::Assertion(fault)
    }
}
