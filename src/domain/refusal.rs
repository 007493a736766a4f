//! Why a request was refused: one variant per fault, each with its error code, and with what was expected
//! and what came. What a client is told is constant; what an operator is told never holds secret material.

use super::certificate_fault::CertificateFault;
use super::client::{AuthMethod, GrantType};
use super::client_assertion::AssertionFault;
use super::dpop_fault::DpopFault;
use super::forwarded_fault::ForwardedFault;
use super::identifier::{AudienceId, CredentialId};

/// The `error` of an answer (RFC 6749 section 5.2, RFC 8707 section 2, and DESIGN's own where no RFC has one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_client`
    InvalidClient,
    /// `invalid_grant`
    InvalidGrant,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// `unsupported_grant_type`
    UnsupportedGrantType,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`
    InvalidTarget,
    /// `invalid_dpop_proof` (RFC 9449 section 5)
    InvalidDpopProof,
    /// `use_dpop_nonce` (RFC 9449 section 8)
    UseDpopNonce,
    /// `not_found`
    NotFound,
    /// `method_not_allowed`
    MethodNotAllowed,
}

impl ErrorCode {
    /// The text of the `error` member.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
        }
    }
}

/// One fault of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request as HTTP.
    Request(RequestFault),
    /// The client's proof of itself.
    Client(ClientFault),
    /// The proof of possession of a key, RFC 9449.
    Dpop(DpopFault),
    /// What the client asked for.
    Grant(GrantFault),
}

/// A fault of the request as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// No such path.
    UnknownPath,
    /// The path has other methods; the value of `Allow`.
    Method(&'static str),
    /// The body is over the limit.
    BodyTooLarge,
    /// The body did not arrive in time or broke off.
    BodyIncomplete,
    /// The body is compressed.
    ContentEncoding,
    /// Not exactly one usable `Host`.
    Host,
    /// The connection was opened for another host (RFC 9110 section 15.5.20).
    Misdirected,
    /// Not `application/x-www-form-urlencoded`.
    MediaType,
    /// A charset other than UTF-8.
    Charset,
    /// A percent escape that is none, or bytes that are no UTF-8 (RFC 6749 appendix B).
    FormEncoding,
    /// More parameters than any request needs.
    TooManyParameters,
    /// A parameter that stands twice.
    RepeatedParameter,
    /// Parameters in the query string, where proxies and logs see them.
    QueryParameters,
    /// `grant_type` is absent or empty.
    MissingGrantType,
    /// `token` is absent or empty.
    MissingToken,
    /// An `Authorization: Basic` that cannot be read.
    BasicEncoding,
    /// More than one way of client authentication at once (RFC 6749 section 2.3).
    SeveralAuthMethods,
    /// `client_assertion_type` is another than RFC 7523's.
    AssertionType,
    /// One of `client_assertion` and `client_assertion_type` is missing.
    AssertionPair,
    /// `client_id` in the body differs from the one in `Authorization`.
    ClientIdMismatch,
    /// The grant is unknown here.
    UnsupportedGrantType,
    /// The client or the audience demands a binding that the request does not bring.
    MissingConfirmation(&'static str),
    /// A trusted proxy says wrongly whose request it passes on.
    Forwarded(ForwardedFault),
}

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

/// Why an authenticated client does not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// The client did not register this grant.
    GrantNotRegistered(GrantType),
    /// The client has no policy that holds for this request.
    NoPolicy,
    /// `scope` is no list of scopes.
    ScopeGrammar,
    /// None of the client's audiences has this scope.
    ScopeUnknown(String),
    /// The scopes belong to several audiences.
    ScopesOfSeveralAudiences,
    /// The policy does not grant this scope.
    ScopeOutsidePolicy {
        /// The audience.
        audience: AudienceId,
        /// The scope.
        scope: String,
    },
    /// No scope was named, and the policy has no default.
    NoDefaultScopes(AudienceId),
    /// `resource` is no absolute URI without fragment, or too long.
    TargetGrammar,
    /// Several resources, or `resource` and `audience` name different ones.
    SeveralTargets,
    /// The audience does not exist, or this client may not use it.
    TargetRefused,
    /// The request does not tell which of several audiences it means.
    TargetAmbiguous,
    /// The token to revoke was issued to another client.
    TokenOfAnotherClient,
}

/// One check of a request that failed: its name, what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCheck {
    /// The name of the check.
    pub name: &'static str,
    /// What was expected.
    pub expected: String,
    /// What came instead; never secret material.
    pub found: String,
    /// What an operator can do about it.
    pub remedy: Option<&'static str>,
}

impl Refusal {
    /// The error code of the answer.
    #[must_use]
    pub const fn error(&self) -> ErrorCode {
        match self {
            Self::Request(fault) => fault.error(),
            Self::Client(_) => ErrorCode::InvalidClient,
            Self::Dpop(fault) => fault.error(),
            Self::Grant(fault) => fault.error(),
        }
    }

    /// The `error_description` of the answer: constant, within RFC 6749 section 5.2's characters.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.description(),
            Self::Client(_) => "client authentication failed",
            Self::Dpop(fault) => fault.description(),
            Self::Grant(fault) => fault.description(),
        }
    }

    /// The failed check, for operators.
    #[must_use]
    pub fn check(&self) -> FailedCheck {
        match self {
            Self::Request(fault) => fault.check(),
            Self::Client(fault) => fault.check(),
            Self::Dpop(fault) => fault.check(),
            Self::Grant(fault) => fault.check(),
        }
    }
}

impl RequestFault {
    const fn error(&self) -> ErrorCode {
        match self {
            Self::UnknownPath => ErrorCode::NotFound,
            Self::Method(_) => ErrorCode::MethodNotAllowed,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            _ => ErrorCode::InvalidRequest,
        }
    }

    const fn description(&self) -> &'static str {
        match self {
            Self::UnknownPath => "there is nothing at this path",
            Self::Method(_) => "this path has other methods, see the Allow header",
            Self::BodyTooLarge => "the body is too large",
            Self::BodyIncomplete => "the body did not arrive whole and in time",
            Self::ContentEncoding => "a Content-Encoding is not accepted",
            Self::Host => "exactly one valid Host is needed",
            Self::Misdirected => "the connection was opened for another host",
            Self::MediaType => "the Content-Type must be application/x-www-form-urlencoded",
            Self::Charset => "the charset must be UTF-8",
            Self::FormEncoding => "the form is not well encoded",
            Self::TooManyParameters => "the form has too many parameters",
            Self::RepeatedParameter => "a parameter is repeated",
            Self::QueryParameters => "parameters belong in the body, never in the URL",
            Self::MissingToken => "the parameter token is missing",
            Self::MissingGrantType => "the parameter grant_type is missing",
            Self::BasicEncoding => "the Authorization header is not well encoded",
            Self::SeveralAuthMethods => "more than one method of client authentication",
            Self::AssertionType => "this client_assertion_type is not supported",
            Self::AssertionPair => "client_assertion and client_assertion_type come together",
            Self::ClientIdMismatch => "client_id differs from the Authorization header",
            Self::UnsupportedGrantType => "this grant type is not supported",
            Self::MissingConfirmation(_) => {
                "tokens of this client or audience must be bound, and the request brings nothing to bind to"
            }
            Self::Forwarded(_) => "the proxy in front of the server forwarded this request wrongly",
        }
    }

    fn check(&self) -> FailedCheck {
        let (name, found, remedy) = match self {
            Self::Forwarded(fault) => ("proxy", fault.to_string(), Some(fault.remedy())),
            _ => ("request", format!("{self:?}"), None),
        };
        FailedCheck { name, expected: self.description().to_owned(), found, remedy }
    }
}

impl ClientFault {
    fn check(&self) -> FailedCheck {
        let (name, expected, found) = match self {
            Self::NoCredentials => ("credentials", "client credentials", "none".to_owned()),
            Self::UnknownScheme => ("credentials", "the scheme Basic", "another scheme".to_owned()),
            Self::Assertion(fault) => {
                let (expected, found, _) = fault.explained();
                ("assertion", expected, found)
            }
            Self::UnknownClient => ("client", "a registered client", "an unknown id".to_owned()),
            Self::Disabled => ("client status", "active", "disabled".to_owned()),
            Self::Deleted => ("client status", "active", "deleted".to_owned()),
            Self::MethodForbidden(used) => {
                ("method", "a method that the profile allows", used.to_string())
            }
            Self::MethodNotRegistered { used, registered } => (
                "method",
                "a registered method",
                format!("{used}, registered: {}", join(registered)),
            ),
            Self::SecretMistyped => ("secret", "a right checksum", "a wrong one".to_owned()),
            Self::SecretImpossible => {
                ("secret", "at most 1024 printable ASCII characters", "something else".to_owned())
            }
            Self::SecretWrong => ("secret", "a live secret of the client", "another".to_owned()),
            Self::SecretNotYetActive(id) => ("secret times", "active", format!("{id}, early")),
            Self::SecretExpired(id) => ("secret times", "not expired", format!("{id}, expired")),
            Self::SecretRetired(id) => ("secret times", "not retired", format!("{id}, retired")),
            Self::Certificate(fault) => {
                ("certificate", "a live certificate of the client", fault.to_string())
            }
        };
        FailedCheck { name, expected: expected.to_owned(), found, remedy: self.remedy() }
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
            Self::Certificate(fault) => fault.remedy(),
            _ => None,
        }
    }
}

impl GrantFault {
    const fn error(&self) -> ErrorCode {
        match self {
            Self::GrantNotRegistered(_) | Self::NoPolicy => ErrorCode::UnauthorizedClient,
            Self::ScopeGrammar
            | Self::ScopeUnknown(_)
            | Self::ScopesOfSeveralAudiences
            | Self::ScopeOutsidePolicy { .. }
            | Self::NoDefaultScopes(_) => ErrorCode::InvalidScope,
            Self::TargetGrammar
            | Self::SeveralTargets
            | Self::TargetRefused
            | Self::TargetAmbiguous => ErrorCode::InvalidTarget,
            Self::TokenOfAnotherClient => ErrorCode::InvalidGrant,
        }
    }

    const fn description(&self) -> &'static str {
        match self {
            Self::GrantNotRegistered(_) => "this client may not use this grant type",
            Self::NoPolicy => "this client may not get tokens here",
            Self::ScopeGrammar => "scope must be scope names with single spaces between",
            Self::ScopeUnknown(_) | Self::ScopeOutsidePolicy { .. } => {
                "a requested scope is unknown or not granted to this client"
            }
            Self::ScopesOfSeveralAudiences => "the scopes belong to more than one audience",
            Self::NoDefaultScopes(_) => "name the scopes: this client has no default",
            Self::TargetGrammar => "resource must be an absolute URI without fragment",
            Self::SeveralTargets => "a token has exactly one audience",
            Self::TargetRefused => "this audience is unknown or not granted to this client",
            Self::TargetAmbiguous => "name the audience: this client has more than one",
            Self::TokenOfAnotherClient => "the token was issued to another client",
        }
    }

    fn check(&self) -> FailedCheck {
        let (name, found) = match self {
            Self::GrantNotRegistered(grant) => ("grant", grant.to_string()),
            Self::NoPolicy => ("policy", "no policy that holds for this request".to_owned()),
            Self::ScopeGrammar => ("scope", "another form".to_owned()),
            Self::ScopeUnknown(scope) => ("scope", format!("{scope}, in none of its audiences")),
            Self::ScopesOfSeveralAudiences => ("scope", "scopes of several".to_owned()),
            Self::ScopeOutsidePolicy { audience, scope } => {
                ("scope", format!("{scope} at {audience}"))
            }
            Self::NoDefaultScopes(audience) => ("scope", format!("none, at {audience}")),
            Self::TargetGrammar => ("audience", "another form".to_owned()),
            Self::SeveralTargets => ("audience", "several".to_owned()),
            Self::TargetRefused => ("audience", "another".to_owned()),
            Self::TargetAmbiguous => ("audience", "none, and several to choose from".to_owned()),
            Self::TokenOfAnotherClient => ("token", "a token of another client".to_owned()),
        };
        let expected = self.description().to_owned();
        FailedCheck { name, expected, found, remedy: self.remedy() }
    }

    const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::GrantNotRegistered(_) => Some("add the grant to the client's grants"),
            Self::NoPolicy | Self::TargetRefused => Some(
                "give the client a policy for the audience, or look at its networks and methods",
            ),
            Self::ScopeUnknown(_) | Self::ScopeOutsidePolicy { .. } => {
                Some("add the scope to the audience and to the client's policy")
            }
            Self::NoDefaultScopes(_) => Some("give the policy default_scopes"),
            Self::TargetAmbiguous => Some("let the client send audience or resource"),
            _ => None,
        }
    }
}

fn join(methods: &[AuthMethod]) -> String {
    methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" ")
}

macro_rules! into_refusal {
    ($($fault:ident => $variant:ident),+) => {$(
        impl From<$fault> for Refusal {
            fn from(fault: $fault) -> Self {
                Self::$variant(fault)
            }
        }
    )+};
}

into_refusal!(RequestFault => Request, ClientFault => Client, DpopFault => Dpop, GrantFault => Grant);

impl From<ForwardedFault> for RequestFault {
    fn from(fault: ForwardedFault) -> Self {
        Self::Forwarded(fault)
    }
}

impl From<AssertionFault> for ClientFault {
    fn from(fault: AssertionFault) -> Self {
        Self::Assertion(fault)
    }
}
