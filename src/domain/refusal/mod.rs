//! Why a request was refused: one variant per fault, each with its error code, and with what was expected
//! and what came. What a client is told is constant; what an operator is told never holds secret material.

mod client_fault;
mod grant_fault;
mod request_fault;

pub use client_fault::ClientFault;
pub use grant_fault::{GrantFault, TargetRefused};
pub use request_fault::RequestFault;

use super::budget_fault::BudgetFault;
use super::check::Finding;
use super::dpop_fault::DpopFault;

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
    /// A budget that is spent.
    Budget(BudgetFault),
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

impl Refusal {
    /// What client and operator are told of it.
    #[must_use]
    pub fn explain(&self) -> Explanation<'_> {
        match self {
            Self::Request(fault) => fault.explain(),
            Self::Client(fault) => Explanation {
                error: ErrorCode::InvalidClient,
                description: "client authentication failed",
                finding: fault.explain(),
            },
            Self::Dpop(fault) => fault.explain(),
            Self::Grant(fault) => fault.explain(),
            Self::Budget(fault) => fault.explain(),
        }
    }
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

into_refusal!(RequestFault => Request, ClientFault => Client, DpopFault => Dpop, GrantFault => Grant, BudgetFault => Budget);
