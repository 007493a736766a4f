//! Identities before the issuers that say them: each is there, may speak of clients, and its platform's pitfalls are told.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::stored::Stored;
use crate::config::catalog::{Catalog, CatalogClient};
use crate::domain::identifier::IssuerId;
use crate::domain::identity::{Identity, IdentityFault};
use crate::domain::trusted_issuer::TrustedIssuer;

/// The issuers as they will be.
pub(super) struct Issuers<'a>(pub(super) BTreeMap<&'a IssuerId, &'a TrustedIssuer>);

impl<'a> Issuers<'a> {
    /// Those of the catalog, and the stored ones that stay beside them.
    pub(super) fn after(catalog: &'a Catalog, stored: &'a Stored, prune: bool) -> Self {
        let kept = stored.issuers.values().filter(|_| !prune);
        let stated = catalog.issuers.iter().map(|it| &it.value);
        Self(kept.chain(stated).map(|it| (&it.id, it)).collect())
    }

    /// Notes what is wrong with the identities of a client, and what an operator should know of those that are new.
    pub(super) fn check(&self, client: &CatalogClient, stored: &Stored, findings: &mut Findings) {
        let known = stored.client(&client.client.id);
        let known = known.map_or(&[][..], |it| &it.credentials);
        for stated in &client.credentials {
            let Some(identity) = stated.material.identity() else {
                continue;
            };
            match self.judge(identity) {
                Ok(issuer) => {
                    let is_new = known
                        .iter()
                        .all(|it| it.material.identity() != Some(identity));
                    let advice = identity.advice_at(issuer).into_iter().filter(|_| is_new);
                    let told = |it| {
                        let (place, id) = (&stated.place, &client.client.id);
                        format!("{place}: client \"{id}\": identity: {it}")
                    };
                    findings.warnings.extend(advice.map(told));
                }
                Err(fault) => {
                    let key = format!("client \"{}\": identity: {}", client.client.id, fault.key());
                    findings.fault(stated.place_of(fault.key()), key, fault);
                }
            }
        }
    }

    fn judge(&self, identity: &Identity) -> Result<&'a TrustedIssuer, IdentityFault> {
        let Some(issuer) = self.0.get(&identity.issuer) else {
            let known = self.0.keys().copied();
            return Err(IdentityFault::no_issuer(&identity.issuer, known));
        };
        identity.check_at(issuer)?;
        Ok(*issuer)
    }
}
