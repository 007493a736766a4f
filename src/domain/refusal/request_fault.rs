//! Faults of a request as such: as HTTP, as a form, as what a proxy passed on.

use super::{ErrorCode, FailedCheck};
use crate::domain::forwarded_fault::ForwardedFault;

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
    /// Somebody asks for an authorization: there are no users here.
    NoAuthorization,
    /// The client or the audience demands a binding that the request does not bring.
    MissingConfirmation(&'static str),
    /// A trusted proxy says wrongly whose request it passes on.
    Forwarded(ForwardedFault),
}

impl RequestFault {
    pub(super) const fn error(&self) -> ErrorCode {
        match self {
            Self::UnknownPath => ErrorCode::NotFound,
            Self::Method(_) => ErrorCode::MethodNotAllowed,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::NoAuthorization => ErrorCode::UnsupportedResponseType,
            _ => ErrorCode::InvalidRequest,
        }
    }

    pub(super) const fn description(&self) -> &'static str {
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
            Self::NoAuthorization => {
                "there are no users here: ask the token endpoint with the grant client_credentials"
            }
            Self::MissingConfirmation(_) => {
                "tokens of this client or audience must be bound, and the request brings nothing to bind to"
            }
            Self::Forwarded(_) => "the proxy in front of the server forwarded this request wrongly",
        }
    }

    pub(super) fn check(&self) -> FailedCheck {
        let (name, found, remedy) = match self {
            Self::Forwarded(fault) => ("proxy", fault.to_string(), Some(fault.remedy())),
            _ => ("request", format!("{self:?}"), None),
        };
        FailedCheck {
            name,
            expected: self.description().to_owned(),
            found,
            remedy,
        }
    }
}

impl From<ForwardedFault> for RequestFault {
    fn from(fault: ForwardedFault) -> Self {
        Self::Forwarded(fault)
    }
}
