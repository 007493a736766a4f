//! Faults of client authentication; to the client all of them look the same (STANDARDS 6749-21).

use crate::domain::certificate_fault::CertificateFault;
use crate::domain::check::{Check, Finding};
use crate::domain::client::AuthMethod;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::CredentialState;
use crate::domain::foreign_token::ForeignFault;
use crate::domain::identifier::CredentialId;
use crate::domain::secret_format::Oddity;

const CURRENT_SECRET: &str =
    "give the client its current secret: grantd credential list shows which are live";

/// Why a client did not prove itself. All of them give the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFault {
    /// No credentials at all.
    NoCredentials,
    /// A scheme of `Authorization` other than Basic; its name, where it has one.
    UnknownScheme(&'static str),
    /// The assertion proves nothing.
    Assertion(AssertionFault),
    /// The token of somebody else proves nothing.
    Foreign(ForeignFault),
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
    /// Begins like a generated secret, but its checksum is wrong: mistyped, cut, or something stands around it.
    SecretMistyped(Option<Oddity>),
    /// Longer than any secret or outside printable ASCII.
    SecretImpossible(Oddity),
    /// No live secret of the client is this one.
    SecretWrong(Option<Oddity>),
    /// The secret is right, but not active yet.
    SecretNotYetActive(CredentialId),
    /// The secret is right, but expired.
    SecretExpired(CredentialId),
    /// The secret is right, but retired.
    SecretRetired(CredentialId),
    /// The identity is the client's, but does not count now.
    DeadIdentity(CredentialId, CredentialState),
    /// A client certificate that proves nothing.
    Certificate(CertificateFault),
    /// The client has no credential that serves this method, live or not.
    NoCredential(AuthMethod),
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
            (AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth, state) => {
                Self::Certificate(CertificateFault::NotLive(id, state))
            }
            (AuthMethod::Federated, state) => Self::DeadIdentity(id, state),
            (_, CredentialState::NotYetActive) => Self::SecretNotYetActive(id),
            (_, CredentialState::Expired) => Self::SecretExpired(id),
            (_, CredentialState::Retired) => Self::SecretRetired(id),
            (_, CredentialState::Live) => Self::SecretWrong(None),
        }
    }

    /// The client is told the same whatever it is; this is for the operator.
    pub(super) fn explain(&self) -> Finding<'_> {
        match self {
            Self::NoCredentials => Finding::new(Check::Credentials, "none").remedy(
                "let the client send a secret, an assertion, or its client_id at the mutual-TLS endpoint with a \
                 certificate (behind a proxy in the header that [proxy] names)",
            ),
            Self::UnknownScheme(found) => {
                Finding::new(Check::Credentials, format!("the scheme {found}")).remedy(
                    "let the client send its secret with the scheme Basic, or in the body",
                )
            }
            Self::Assertion(fault) => fault.explain(),
            Self::Foreign(fault @ ForeignFault::UnknownIssuer(_, None)) => {
                let finding = fault.explain();
                finding.or("an assertion that the client signs itself has its id in iss and sub")
            }
            Self::Foreign(fault) => fault.explain(),
            Self::UnknownClient => Finding::new(Check::Client, "an unknown id")
                .remedy("compare the id with grantd client list"),
            Self::Disabled => Finding::new(Check::Status, "disabled")
                .remedy("where it may go on: grantd client enable ID; where a catalog states its status, active there, then \
                         grantd apply"),
            Self::Deleted => Finding::new(Check::Status, "deleted")
                .remedy("put it into the catalog again, then grantd apply"),
            Self::MethodForbidden(used) => Finding::new(Check::MethodAllowed, used.as_str())
                .remedy("register private_key_jwt or mutual TLS for the client"),
            Self::MethodNotRegistered { used, registered } => {
                let found = format!("{used}, registered: {}", join(registered));
                Finding::new(Check::MethodRegistered, found).remedy(
                    "register the method in the catalog's auth, or let the client use a registered one",
                )
            }
            Self::SecretMistyped(oddity) => {
                let again = "copy the whole secret again: 67 characters";
                wrong_secret(Check::SecretChecksum, ("a wrong one", again), *oddity)
            }
            Self::SecretImpossible(oddity) => {
                Finding::new(Check::SecretForm, oddity.found()).remedy(oddity.remedy())
            }
            Self::SecretWrong(oddity) => {
                let again = "give the client its secret again; in a Basic header + and % of a secret must be \
                             form-encoded";
                wrong_secret(Check::Secret, ("another", again), *oddity)
            }
            Self::SecretNotYetActive(id) => {
                Finding::new(Check::SecretTimes, format!("{id}, not active yet"))
                    .remedy("wait for its active_from, or let the client use its current secret")
            }
            Self::SecretExpired(id) => {
                Finding::new(Check::SecretTimes, format!("{id}, expired")).remedy(CURRENT_SECRET)
            }
            Self::SecretRetired(id) => {
                Finding::new(Check::SecretTimes, format!("{id}, retired")).remedy(CURRENT_SECRET)
            }
            Self::DeadIdentity(id, state) => {
                Finding::new(Check::IdentityLive, format!("{id}, {state}")).remedy(
                    "state the identity that holds now in the catalog, then grantd apply: a retired one stays so",
                )
            }
            Self::Certificate(fault) => {
                let (found, remedy) = fault.explain();
                Finding::new(Check::Certificate, found).remedy(remedy)
            }
            Self::NoCredential(method) => no_credential(*method),
        }
    }
}

/// The client has none of what the method takes.
fn no_credential(method: AuthMethod) -> Finding<'static> {
    let (check, found, remedy) = match method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => (
            Check::Secret,
            "no secret at all",
            "give the client one: grantd credential add-secret",
        ),
        AuthMethod::PrivateKeyJwt => (
            Check::AssertionKey,
            "no key at all",
            "register the client's public key: grantd credential add-key",
        ),
        AuthMethod::Federated => (
            Check::Identity,
            "no identity at all",
            "say whose foreign tokens are the client: [[client.identity]] in the catalog, then grantd apply",
        ),
        AuthMethod::TlsClientAuth => (
            Check::Certificate,
            "no subject at all",
            "register the subject of the client's certificate: grantd credential add-subject",
        ),
        AuthMethod::SelfSignedTlsClientAuth => (
            Check::Certificate,
            "no certificate at all",
            "register the client's certificate: grantd credential add-certificate",
        ),
    };
    Finding::new(check, found).remedy(remedy)
}

/// A secret that is wrong, with what its form tells where that tells anything.
fn wrong_secret(
    check: Check,
    (found, remedy): (&'static str, &'static str),
    oddity: Option<Oddity>,
) -> Finding<'static> {
    match oddity {
        Some(oddity) => {
            Finding::new(check, format!("{found}, {}", oddity.found())).remedy(oddity.remedy())
        }
        None => Finding::new(check, found).remedy(remedy),
    }
}

fn join(methods: &[AuthMethod]) -> String {
    methods
        .iter()
        .map(|method| method.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

impl From<ForeignFault> for ClientFault {
    fn from(fault: ForeignFault) -> Self {
        Self::Foreign(fault)
    }
}

impl From<AssertionFault> for ClientFault {
    fn from(fault: AssertionFault) -> Self {
        Self::Assertion(fault)
    }
}
