//! Faults of a request as such: as HTTP, as a form, as what a proxy passed on.

use crate::domain::check::{Check, Finding};
use crate::domain::explanation::{ErrorCode, Explanation};
use crate::domain::forwarded_fault::ForwardedFault;

/// A fault of the request as such. A text in it is what came, as [`shown`](crate::domain::shown) shows it.
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
    MediaType(String),
    /// A charset other than UTF-8.
    Charset(String),
    /// A malformed percent escape, or bytes that are not UTF-8 (RFC 6749 appendix B).
    FormEncoding,
    /// More parameters than any request needs.
    TooManyParameters,
    /// A parameter that stands twice; its name.
    RepeatedParameter(String),
    /// Parameters in the query string, where proxies and logs see them.
    QueryParameters,
    /// `grant_type` is absent or empty.
    MissingGrantType,
    /// `token` is absent or empty.
    MissingToken,
    /// An `Authorization: Basic` that cannot be read; what is wrong with it.
    BasicEncoding(&'static str),
    /// More than one way of client authentication at once (RFC 6749 section 2.3); which.
    SeveralAuthMethods(String),
    /// `client_assertion_type` is another than RFC 7523's.
    AssertionType(String),
    /// `client_assertion` or `client_assertion_type` comes alone; which.
    AssertionPair(&'static str),
    /// `client_id` in the body differs from the one in `Authorization`.
    ClientIdMismatch {
        /// The one in the body.
        body: String,
        /// The one in the header.
        header: String,
    },
    /// The JWT bearer grant without `assertion`.
    MissingAssertion,
    /// A token exchange without `subject_token`.
    MissingSubjectToken,
    /// A token without its type, or a type without its token; which is there.
    TokenPair(&'static str),
    /// The type of this token is none that is read here.
    TokenType(&'static str, String),
    /// Something else than an access token is wanted.
    RequestedTokenType(String),
    /// The grant is unknown here.
    UnsupportedGrantType(String),
    /// Somebody asks for an authorization: there are no users here.
    NoAuthorization,
    /// The client or the audience demands a binding that the request does not bring.
    MissingConfirmation(&'static str),
    /// A token of an exchange is bound to what the request does not prove to hold.
    UnprovenToken {
        /// `subject token` or `actor token`.
        token: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// A trusted proxy says wrongly whose request it passes on.
    Forwarded(ForwardedFault),
}

impl RequestFault {
    pub(super) fn explain(&self) -> Explanation<'_> {
        let (description, finding) = self.told();
        let error = match self {
            Self::UnknownPath => ErrorCode::NotFound,
            Self::Method(_) => ErrorCode::MethodNotAllowed,
            Self::UnsupportedGrantType(_) => ErrorCode::UnsupportedGrantType,
            Self::NoAuthorization => ErrorCode::UnsupportedResponseType,
            _ => ErrorCode::InvalidRequest,
        };
        Explanation {
            error,
            description,
            finding,
        }
    }

    /// What the client is told, and what the operator is told.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: all that is said of one fault stands in one place"
    )]
    fn told(&self) -> (&'static str, Finding<'_>) {
        match self {
            Self::UnknownPath => (
                "there is nothing at this path",
                Finding::new(Check::Path, "another path")
                    .remedy("compare the URL with the metadata: /.well-known/oauth-authorization-server"),
            ),
            Self::Method(_) => (
                "this path has other methods, see the Allow header",
                Finding::new(Check::HttpMethod, "another method")
                    .remedy("let the client use POST; the metadata and the JWKS are read with GET"),
            ),
            Self::BodyTooLarge => (
                "the body is too large",
                Finding::new(Check::BodySize, "a longer body")
                    .remedy("let the client send the form alone; where it must be so long, raise body_bytes in [limits]"),
            ),
            Self::BodyIncomplete => (
                "the body did not arrive whole and in time",
                Finding::new(Check::BodyWhole, "one that broke off or took longer")
                    .remedy("look at the network between; where it is slow, raise body_timeout in [limits]"),
            ),
            Self::ContentEncoding => (
                "a Content-Encoding is not accepted",
                Finding::new(Check::ContentEncoding, "a Content-Encoding")
                    .remedy("let the client send the form uncompressed"),
            ),
            Self::Host => (
                "exactly one valid Host is needed",
                Finding::new(Check::Host, "none, several, or one that is no host name")
                    .remedy("let client and proxy send one Host"),
            ),
            Self::Misdirected => (
                "the connection was opened for another host",
                Finding::new(Check::Connection, "a connection for another host")
                    .remedy("let the client open a connection for each host name"),
            ),
            Self::MediaType(found) => (
                "the Content-Type must be application/x-www-form-urlencoded",
                Finding::new(Check::MediaType, found)
                    .remedy("let the client send its parameters as a form, not as JSON"),
            ),
            Self::Charset(found) => (
                "the charset must be UTF-8",
                Finding::new(Check::Charset, found).remedy("let the client send UTF-8"),
            ),
            Self::FormEncoding => (
                "the form is not well encoded",
                Finding::new(Check::FormEncoding, "a % that begins no escape, or bytes that are no UTF-8")
                    .remedy("let the client encode names and values: % is %25, + is %2B"),
            ),
            Self::TooManyParameters => (
                "the form has too many parameters",
                Finding::new(Check::ParameterCount, "more").remedy("let the client leave out what is not of OAuth"),
            ),
            Self::RepeatedParameter(name) => (
                "a parameter is repeated",
                Finding::new(Check::ParameterOnce, format!("{name} more than once"))
                    .remedy("let the client send it once; several scopes stand in one scope, with spaces between"),
            ),
            Self::QueryParameters => (
                "parameters belong in the body, never in the URL",
                Finding::new(Check::Query, "parameters in the URL")
                    .remedy("let the client send them in the body; a secret that stood in the URL is in the logs of proxies: replace it"),
            ),
            Self::MissingToken => (
                "the parameter token is missing",
                Finding::new(Check::TokenParameter, "none").remedy("let the client send token=…"),
            ),
            Self::MissingGrantType => (
                "the parameter grant_type is missing",
                Finding::new(Check::GrantType, "no grant_type")
                    .remedy("let the client send grant_type=client_credentials"),
            ),
            Self::UnsupportedGrantType(found) => (
                "this grant type is not supported",
                Finding::new(Check::GrantType, found)
                    .remedy("let the client send grant_type=client_credentials, or another one that the metadata lists"),
            ),
            Self::MissingAssertion => (
                "the parameter assertion is missing",
                Finding::new(Check::AssertionParameter, "none")
                    .remedy("let the client send the token of the trusted issuer as assertion"),
            ),
            Self::MissingSubjectToken => (
                "the parameters subject_token and subject_token_type are missing",
                Finding::new(Check::SubjectParameter, "no subject_token")
                    .remedy("let the client send the access token that it got, and its type"),
            ),
            Self::TokenPair(alone) => (
                "a token and its type come together",
                Finding::new(parameter_of(alone), format!("{alone} alone"))
                    .remedy("let the client send both parameters"),
            ),
            Self::TokenType(token, found) => (
                "this type of token is not supported",
                Finding::new(parameter_of(token), format!("{token} of the type {found}"))
                    .remedy("let the client send urn:ietf:params:oauth:token-type:access_token"),
            ),
            Self::RequestedTokenType(found) => (
                "only an access token can be requested",
                Finding::new(Check::RequestedType, found)
                    .remedy("let the client leave requested_token_type out"),
            ),
            Self::UnprovenToken { token, what } => (
                "a token is bound, and the request does not prove possession of what it is bound to",
                Finding::new(Check::Binding, format!("no {what} that the {token} is bound to")).remedy(
                    if *token == "assertion" {
                        "let the client prove it: an assertion that is bound is for whoever has that key"
                    } else {
                        "let the client prove it; where its tokens may take the place of tokens that are bound to others, \
                         say rebind = true in the policy's exchange"
                    },
                ),
            ),
            Self::BasicEncoding(found) => (
                "the Authorization header is not well encoded",
                Finding::new(Check::BasicEncoding, *found)
                    .remedy("let the client form-encode id and secret, put a colon between, and base64 around: % is %25, + is %2B"),
            ),
            Self::SeveralAuthMethods(found) => (
                "more than one method of client authentication",
                Finding::new(Check::OneMethod, found).remedy("let the client send one of them"),
            ),
            Self::AssertionType(found) => (
                "this client_assertion_type is not supported",
                Finding::new(Check::AssertionParameters, found)
                    .remedy("let the client send urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ),
            Self::AssertionPair(alone) => (
                "client_assertion and client_assertion_type come together",
                Finding::new(Check::AssertionParameters, format!("{alone} alone"))
                    .remedy("let the client send both parameters"),
            ),
            Self::ClientIdMismatch { body, header } => (
                "client_id differs from the Authorization header",
                Finding::new(
                    Check::SameClientId,
                    format!("{body} in the body, {header} in the header"),
                )
                .remedy("let the client leave client_id out of the body"),
            ),
            Self::NoAuthorization => (
                "there are no users here: ask the token endpoint with the grant client_credentials",
                Finding::new(Check::Endpoint, "a request for an authorization")
                    .remedy("let the client ask the token endpoint with grant_type=client_credentials"),
            ),
            Self::MissingConfirmation(missing) => (
                "tokens of this client or audience must be bound, and the request brings nothing to bind to",
                Finding::new(Check::Binding, format!("no {missing}"))
                    .remedy("let the client send a DPoP proof, or connect to the mutual-TLS endpoint with its certificate, as is demanded"),
            ),
            Self::Forwarded(fault) => {
                let (found, remedy) = fault.explain();
                (
                    "the proxy in front of the server forwarded this request wrongly",
                    Finding::new(Check::Proxy, found).remedy(remedy),
                )
            }
        }
    }
}

fn parameter_of(name: &str) -> Check {
    if name.starts_with("actor") {
        Check::ActorParameter
    } else {
        Check::SubjectParameter
    }
}

impl From<ForwardedFault> for RequestFault {
    fn from(fault: ForwardedFault) -> Self {
        Self::Forwarded(fault)
    }
}
