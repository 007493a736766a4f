//! What makes a token of its claims, by the form that its audience wants.

use serde_json::Value;

use crate::crypto::jws::Signer;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::domain::audience::Audience;

/// Makes tokens of one form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Maker<'l> {
    /// JWTs.
    Signer(&'l Signer),
    /// Opaque ones.
    Sealer(&'l OpaqueTokens),
}

impl Maker<'_> {
    /// The token of these claims, which are JSON; `None` where the key fails.
    pub(super) fn make(self, audience: &Audience, claims: &[u8]) -> Option<String> {
        match self {
            Self::Signer(signer) => signer.sign_compact(audience.jwt_typ, claims).ok(),
            Self::Sealer(tokens) => tokens.seal(audience.id.as_str(), claims),
        }
    }

    /// The header of its tokens; an opaque one has none.
    pub(super) fn header(self, audience: &Audience) -> Option<Value> {
        match self {
            Self::Signer(signer) => Some(signer.header(audience.jwt_typ)),
            Self::Sealer(_) => None,
        }
    }
}
