//! What is said of a fault: to the client an error code and a constant sentence, to the operator what was found.

use super::check::Finding;

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
    /// `unsupported_response_type` (RFC 6749 section 4.1.2.1)
    UnsupportedResponseType,
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
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
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
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// All that is said of one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'f> {
    /// The error code of the answer.
    pub error: ErrorCode,
    /// The `error_description` of the answer: constant, within RFC 6749 section 5.2's characters.
    pub description: &'static str,
    /// What an operator is told.
    pub finding: Finding<'f>,
}
