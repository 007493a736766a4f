//! The JWT bearer grant, RFC 7523 section 2.1: a token of a trusted issuer says for whom the client asks.

use std::iter;

use super::circumstances::Circumstances;
use super::entitlement::{Delegated, Entitlement};
use super::exchanged::note;
use super::foreign_subject::ForeignSubject;
use crate::crypto::compact::CompactJws;
use crate::domain::decision::Decision;
use crate::domain::foreign_name;
use crate::domain::foreign_token::{ForeignFault, claimed_issuer};
use crate::domain::grant_decision::policies_that_hold;
use crate::domain::policy::Purpose;
use crate::domain::refusal::GrantFault;
use crate::domain::trusted_issuer::IssuerUse;
use crate::operations::Grantd;
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;
use crate::operations::error::Outage;
use crate::operations::foreign_tokens::AcceptedForeign;
use crate::operations::signed_once::around;
use crate::store::error::StoreError;
use crate::store::memory::look::Look;

/// For whom the client may ask, and within what.
///
/// # Errors
/// It did not register the grant, a token that does not count, or no policy that holds for it.
pub(super) fn entitle<'l, B: Basis>(
    grantd: &Grantd,
    client: StandingClient<'l, B>,
    (look, subject, circumstances): (
        &Look<'_>,
        &'l Result<Box<ForeignSubject>, ForeignFault>,
        &Circumstances<'_, B>,
    ),
) -> Result<Entitlement<'l, B>, GrantFault> {
    let asker = client.client();
    let refused = |fault: &ForeignFault| GrantFault::Assertion(fault.clone());
    let subject = subject.as_ref().map_err(refused)?;
    let counts = grantd.check_foreign_subject(subject, &asker.id, look);
    counts.map_err(GrantFault::Assertion)?;
    let token = &subject.token;
    let name = foreign_name::of(subject.issuer(), &token.subject);
    let purpose = Purpose::Assertion {
        issuer: subject.issuer(),
        subject: name.unwrap_or_default(),
    };
    let held_against = circumstances.of(&client, purpose);
    let policies = policies_that_hold(asker, client.policies(), &held_against)?;
    Ok(Entitlement {
        subject: &token.subject,
        actor: client,
        policies,
        until: Some(token.expires_at),
        purpose,
        delegated: Some(Delegated {
            token,
            called: "assertion",
            actors: None,
            actor_bound_to: None,
            tokens_not_before: subject.tokens_not_before(look),
        }),
    })
}

impl Grantd {
    /// Reads the token that is a grant; its `jti` is still to be spent, where it counts once.
    ///
    /// # Errors
    /// Keys of its issuer that cannot be had, or a database out of reach.
    pub(super) async fn read_asserted(
        &self,
        text: &str,
        decision: &mut Decision,
    ) -> Result<Result<(ForeignSubject, AcceptedForeign), ForeignFault>, Outage> {
        let read = self.read_foreign_subject((text, IssuerUse::Grant), decision);
        let Some(read) = read.await? else {
            return Ok(Err(self.of_nobody(text).await?));
        };
        if let Ok((subject, _)) = &read {
            // Nobody acts in the token that comes of it.
            note(&subject.token, iter::empty(), decision);
        }
        Ok(read)
    }

    /// Why a token is that of no trusted issuer.
    async fn of_nobody(&self, text: &str) -> Result<ForeignFault, StoreError> {
        match CompactJws::parse(text) {
            Err(error) => Ok(around(text).map_or_else(
                || ForeignFault::Form(error.to_string()),
                ForeignFault::Surrounded,
            )),
            Ok(jws) => {
                let iss = claimed_issuer(jws.claims()).unwrap_or_default();
                self.authenticator.foreign_tokens.unknown_issuer(iss).await
            }
        }
    }
}
