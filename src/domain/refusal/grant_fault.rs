//! Faults of what an authenticated client asks for.

use super::{ErrorCode, FailedCheck};
use crate::domain::client::GrantType;
use crate::domain::identifier::AudienceId;

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

impl GrantFault {
    pub(super) const fn error(&self) -> ErrorCode {
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

    pub(super) const fn description(&self) -> &'static str {
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

    pub(super) fn check(&self) -> FailedCheck {
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
        FailedCheck {
            name,
            expected,
            found,
            remedy: self.remedy(),
        }
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
