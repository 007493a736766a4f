//! An audience: one API whose tokens grantd issues (RFC 9068, RFC 8707).

use std::collections::BTreeMap;

use super::algorithm::SigningAlgorithm;
use super::client::named;
use super::identifier::{AudienceId, ClientId};
use super::scope::Scope;
use super::timestamp::Seconds;

/// One API (resource server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The `aud` value.
    pub id: AudienceId,
    /// Its scopes, each with a description for people (may be empty).
    pub scopes: BTreeMap<Scope, String>,
    /// How long a token lives where the policy says nothing.
    pub token_lifetime: Seconds,
    /// The most that a policy may give.
    pub max_token_lifetime: Seconds,
    /// What signs its tokens.
    pub algorithm: SigningAlgorithm,
    /// The `typ` of its tokens.
    pub jwt_typ: JwtTyp,
    /// What its tokens must be bound to.
    pub sender_constraint: SenderConstraint,
    /// The clients that serve it: they alone may introspect its tokens.
    pub served_by: Vec<ClientId>,
}

named! {
    /// The `typ` header of access tokens.
    JwtTyp {
        /// RFC 9068 section 2.1.
        AccessToken = "at+jwt",
        /// For verifiers that refuse `at+jwt`.
        Jwt = "JWT",
    }
}

named! {
    /// What an audience demands its tokens to be bound to.
    SenderConstraint {
        /// Nothing.
        None = "none",
        /// A client certificate, RFC 8705 section 3.
        Mtls = "mtls",
        /// A DPoP key, RFC 9449.
        Dpop = "dpop",
        /// Either of them.
        Any = "any",
    }
}
