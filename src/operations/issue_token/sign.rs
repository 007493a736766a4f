//! What every token gets, whatever its grant: what it is bound to, and its signature.

use super::circumstances::Circumstances;
use super::entitlement::Entitlement;
use crate::crypto::jws::Signer;
use crate::crypto::random;
use crate::domain::access_token::AccessToken;
use crate::domain::confirmation::{Confirmation, Evidence, token_type};
use crate::domain::grant_decision::Grant;
use crate::domain::refusal::RequestFault;
use crate::domain::timestamp::Timestamp;
use crate::operations::Grantd;
use crate::operations::authenticate_client::StandingClient;
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
    /// The catalog was judged when this replica started; it may have been changed since by an `apply` that knows of no
    /// profile.
    pub(super) fn hold_to_profile(
        &self,
        grant: &Grant,
        confirmation: &Confirmation,
    ) -> Result<(), OperationError> {
        if self.settings.profile.binds_every_token() && *confirmation == Confirmation::default() {
            let what = "DPoP proof and no client certificate, one of them demanded by the profile";
            return Err(RequestFault::MissingConfirmation(what).into());
        }
        let algorithm = grant.audience.algorithm;
        if !self.settings.profile.allows_algorithm(algorithm) {
            return Err(Outage::ForbiddenAlgorithm(algorithm).into());
        }
        Ok(())
    }

    /// The token, and its `jti`.
    pub(super) fn sign(
        &self,
        entitlement: &Entitlement<'_>,
        (grant, confirmation): (&Grant, &Confirmation),
        (signer, now): (&Signer, Timestamp),
    ) -> Result<(IssuedToken, String), OperationError> {
        let actor = &entitlement.actor;
        let id = (now, random::access_token_id(actor.credential()));
        let claims = AccessToken::new(
            self.settings.issuer.as_str(),
            (entitlement.subject, actor.client()),
            grant,
            confirmation,
            id,
        );
        let payload = serde_json::to_vec(&claims).map_err(|_| Outage::Signing)?;
        let access_token = signer
            .sign_compact(grant.audience.jwt_typ, &payload)
            .map_err(|_| Outage::Signing)?;
        let token = IssuedToken {
            access_token,
            token_type: token_type(claims.cnf.as_ref()),
            expires_in: grant.lifetime.get(),
            scope: claims.scope,
        };
        Ok((token, claims.jti))
    }
}

/// What the token is bound to: what the caller proved to hold, where client or audience want that.
pub(super) fn bind(
    client: &StandingClient<'_>,
    grant: &Grant,
    circumstances: &Circumstances<'_>,
) -> Result<Confirmation, RequestFault> {
    let certificate = circumstances.caller.certificate.as_ref();
    let evidence = Evidence {
        method: client.method(),
        certificate: certificate.map(|it| it.chain.thumbprint()),
        key: circumstances.proof.as_ref().map(|it| it.key().as_str()),
    };
    Confirmation::bind(client.client(), grant.audience.sender_constraint, evidence)
}
