//! Faults of what a token exchange is asked for (RFC 8693 section 2.2.2).

use crate::domain::actor_chain::MOST_ACTORS;
use crate::domain::check::{Check, Finding};
use crate::domain::explanation::{ErrorCode, Explanation};
use crate::domain::foreign_token::ForeignFault;
use crate::domain::identifier::AudienceId;
use crate::domain::token_fault::TokenFault;

/// Why a client gets nothing in exchange. A text in it is what came, as [`shown`](crate::domain::shown) shows it, or of a
/// token whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeFault {
    /// The subject token is invalid, dead, or not for this client.
    SubjectToken(TokenFault),
    /// The subject token is of a trusted issuer, and does not count.
    ForeignSubject(ForeignFault),
    /// The actor token is none, or dead.
    ActorToken(TokenFault),
    /// The actor token is of another client, or acts for another; whose it is.
    ActorOfAnother(String),
    /// The subject token names another who may act.
    MayAct(String),
    /// More act already than a token may name.
    TooManyActors,
    /// A claim cannot be carried over from the subject token; which.
    KeptClaim(String),
    /// The subject token does not have this scope.
    ScopeOutsideSubject {
        /// The audience.
        audience: AudienceId,
        /// The scope.
        scope: String,
    },
    /// No scope was named, and the subject token has none of the policy's default ones.
    NoScopeOfSubject(AudienceId),
}

pub(super) const SCOPE_REFUSED: &str = "a requested scope is unknown or not granted to this client";
const SUBJECT_REFUSED: &str =
    "the subject token is invalid, expired or revoked, or not for this client";
const ACTOR_REFUSED: &str = "the actor token is invalid, expired or revoked, or not of this client";

impl ExchangeFault {
    pub(super) fn explain(&self) -> Explanation<'_> {
        use ErrorCode::{InvalidRequest, InvalidScope};
        let (error, description, finding) = match self {
            Self::SubjectToken(fault) => (InvalidRequest, SUBJECT_REFUSED, fault.explain()),
            Self::ForeignSubject(fault) => (InvalidRequest, SUBJECT_REFUSED, fault.explain()),
            Self::ActorToken(fault) => (
                InvalidRequest,
                ACTOR_REFUSED,
                Finding::new(Check::ActorToken, actor_fault(fault))
                    .remedy("let the client send a live token of its own, or no actor_token"),
            ),
            Self::ActorOfAnother(whose) => (
                InvalidRequest,
                ACTOR_REFUSED,
                Finding::new(Check::ActorToken, format!("a token of {whose}"))
                    .remedy("let the client send a token that it got for itself, or no actor_token"),
            ),
            Self::MayAct(named) => (
                InvalidRequest,
                "the subject token names another who may act",
                Finding::new(Check::MayAct, named)
                    .remedy("let the client that is named exchange the token"),
            ),
            Self::TooManyActors => (
                InvalidRequest,
                "too many act for the subject already",
                Finding::new(Check::ActorCount, format!("{MOST_ACTORS} already"))
                    .remedy("look at who passes whose tokens on: so long a way is most often a circle"),
            ),
            Self::KeptClaim(found) => (
                InvalidRequest,
                "a claim of the subject token cannot be carried over",
                Finding::new(Check::KeptClaims, found)
                    .remedy("remove the claim from keep in the policy's exchange"),
            ),
            Self::ScopeOutsideSubject { audience, scope } => (
                InvalidScope,
                SCOPE_REFUSED,
                Finding::new(
                    Check::ScopeGranted,
                    format!("{scope} at {audience}, which the subject token does not have"),
                )
                .remedy("let the client ask for scopes of the subject token, or remove scopes_from_subject"),
            ),
            Self::NoScopeOfSubject(audience) => (
                InvalidScope,
                "name the scopes: the subject token has none of the default ones",
                Finding::new(
                    Check::ScopeNamed,
                    format!("none, at {audience}, of whose default ones the subject token has none"),
                )
                .remedy("let the client send scope, or remove scopes_from_subject"),
            ),
        };
        Explanation {
            error,
            description,
            finding,
        }
    }
}

/// What an actor token is instead of one that counts.
fn actor_fault(fault: &TokenFault) -> String {
    let finding = fault.explain();
    format!("{}, not {}", finding.found, finding.check.expected())
}
