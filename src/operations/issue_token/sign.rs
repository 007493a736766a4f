//! What every token gets, whatever its grant: its claims, and its signature or seal.

use super::judge::Ready;
use crate::crypto::random;
use crate::domain::access_token::AccessToken;
use crate::domain::confirmation::token_type;
use crate::operations::Grantd;
use crate::operations::basis::{Basis, Proven};
use crate::operations::error::{OperationError, Outage};

/// An issued token, RFC 6749 section 5.1.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub access_token: String,
    /// `Bearer`, or `DPoP` for a token that is bound to a key (RFC 9449 section 5).
    pub token_type: &'static str,
    /// How long it lives, in seconds.
    pub expires_in: u32,
    /// What it grants, always said.
    pub scope: String,
}

impl Grantd {
    /// What the token says.
    pub(super) fn claims<B: Basis>(&self, ready: &Ready<'_, B>, jti: String) -> AccessToken {
        let entitlement = &ready.entitlement;
        let token = AccessToken::new(
            self.settings.issuer.as_str(),
            (entitlement.subject, entitlement.actor.client()),
            &ready.grant,
            &ready.confirmation,
            (ready.now, jti),
        );
        match (&entitlement.delegated, &ready.kept) {
            (Some(delegated), Some(kept)) => {
                token.delegated(delegated.actors.clone(), kept.clone())
            }
            _ => token,
        }
    }

    /// The token, and its `jti`. Nothing is made that rests on less than a proof.
    pub(super) fn sign(
        &self,
        ready: &Ready<'_, Proven>,
    ) -> Result<(IssuedToken, String), OperationError> {
        let id = random::access_token_id(ready.entitlement.actor.credential());
        let claims = self.claims(ready, id);
        let payload = serde_json::to_vec(&claims).map_err(|_| Outage::Signing)?;
        let made = ready.maker.make(&ready.grant.audience, &payload);
        let access_token = made.ok_or(Outage::Signing)?;
        let token = IssuedToken {
            access_token,
            token_type: token_type(claims.cnf.as_ref()),
            expires_in: ready.grant.lifetime.get(),
            scope: claims.scope,
        };
        Ok((token, claims.jti))
    }
}
