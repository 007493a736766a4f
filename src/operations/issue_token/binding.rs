//! What every token is bound to, whatever its grant, and whether the server's profile lets it be issued so.

use super::circumstances::Circumstances;
use super::entitlement::Entitlement;
use crate::domain::confirmation::{Confirmation, Evidence};
use crate::domain::grant_decision::Grant;
use crate::domain::refusal::RequestFault;
use crate::operations::Grantd;
use crate::operations::basis::{Basis, Held as _};
use crate::operations::error::{OperationError, Outage};

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
}

/// What the token is bound to: what the caller proved to hold, where client or audience want that, or where the token
/// takes the place of one that is bound.
pub(super) fn bind<B: Basis>(
    entitlement: &Entitlement<'_, B>,
    grant: &Grant,
    circumstances: &Circumstances<'_, B>,
) -> Result<Confirmation, RequestFault> {
    let client = &entitlement.actor;
    let evidence = Evidence {
        method: client.method(),
        certificate: circumstances.held.certificate(),
        key: circumstances.held.key(),
    };
    let constraint = grant.audience.sender_constraint;
    let bound = Confirmation::bind(client.client(), constraint, evidence)?;
    let Some(delegated) = &entitlement.delegated else {
        return Ok(bound);
    };
    let bound = match delegated.actor_bound_to {
        Some(cnf) => bound.in_place_of(cnf, false, ("actor token", evidence))?,
        None => bound,
    };
    match &delegated.token.bound_to {
        Some(cnf) => {
            let exchange = entitlement.exchange(grant);
            let rebind = exchange.is_some_and(|it| it.rebind);
            bound.in_place_of(cnf, rebind, (delegated.called, evidence))
        }
        None => Ok(bound),
    }
}
