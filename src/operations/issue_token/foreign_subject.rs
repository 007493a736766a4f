//! Tokens of trusted issuers that say for whom a client asks: subject tokens of an exchange, and grants by themselves.

use crate::crypto::compact::CompactJws;
use crate::domain::decision::Decision;
use crate::domain::foreign_token::{ForeignFault, claimed_audience};
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::shown::{plain, unknown_url};
use crate::domain::subject_token::SubjectToken;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::IssuerUse;
use crate::operations::Grantd;
use crate::operations::error::Outage;
use crate::operations::foreign_tokens::{AcceptedForeign, ForeignError, check_use};
use crate::store::memory::look::{Look, Named};

/// For whom a client asks, as a trusted issuer says it.
#[derive(Debug)]
pub(super) struct ForeignSubject {
    pub(super) token: SubjectToken,
    issuer: IssuerId,
    what: IssuerUse,
    /// Its `aud`, where it is exchanged and that can be an audience of ours.
    audience: Option<AudienceId>,
}

impl ForeignSubject {
    fn of(accepted: &AcceptedForeign, what: IssuerUse) -> Result<Self, ForeignFault> {
        let (issuer, claims) = (&accepted.key().id, accepted.said());
        let audience = || AudienceId::parse(claimed_audience(claims)).ok();
        Ok(Self {
            token: SubjectToken::of_issuer(issuer, claims)?,
            issuer: issuer.clone(),
            what,
            audience: (what == IssuerUse::Exchange).then(audience).flatten(),
        })
    }

    pub(super) const fn issuer(&self) -> &IssuerId {
        &self.issuer
    }

    /// What was issued up to this second is dead for its sake.
    pub(super) fn tokens_not_before(&self, look: &Look<'_>) -> Timestamp {
        let issuer = look.issuer(&self.issuer);
        issuer.map_or(Timestamp::EPOCH, |it| it.tokens_not_before)
    }

    /// What the last look must be about.
    pub(super) const fn named(&self) -> Named<'_> {
        Named {
            clients: &[],
            audience: self.audience.as_ref(),
            issuer: Some(&self.issuer),
        }
    }
}

impl Grantd {
    /// Reads a token that is to be `what`, of the trusted issuer that it names. `None` where it names none. Its `jti` is
    /// still to be spent, where that is.
    ///
    /// # Errors
    /// Keys that cannot be had now, or a database out of reach.
    pub(super) async fn read_foreign_subject(
        &self,
        (text, what): (&str, IssuerUse),
        decision: &mut Decision,
    ) -> Result<Option<Result<(ForeignSubject, AcceptedForeign), ForeignFault>>, Outage> {
        let Ok(jws) = CompactJws::parse(text) else {
            return Ok(None);
        };
        let tokens = &self.authenticator.foreign_tokens;
        let Some(issuer) = tokens.claimed_issuer(&jws).await? else {
            return Ok(None);
        };
        let accepted = match tokens.accept((&issuer, what), jws, decision).await {
            Ok(accepted) => accepted,
            Err(ForeignError::Fault(fault)) => return Ok(Some(Err(fault))),
            Err(ForeignError::Outage(outage)) => return Err(outage),
        };
        let subject = ForeignSubject::of(&accepted, what);
        Ok(Some(subject.map(|it| (it, accepted))))
    }

    /// That such a token counts at the last look: its issuer is trusted, it has not ended, and it is for us, or where it is
    /// exchanged for the client.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub(super) fn check_foreign_subject(
        &self,
        subject: &ForeignSubject,
        client: &ClientId,
        look: &Look<'_>,
    ) -> Result<(), ForeignFault> {
        let unknown = || ForeignFault::NotForThis(subject.issuer.clone(), subject.what);
        let issuer = look.issuer(&subject.issuer).ok_or_else(unknown)?;
        check_use(issuer, subject.what)?;
        let ours = self.authenticator.foreign_tokens.audience(issuer);
        let aud = claimed_audience(&subject.token.claims);
        let audience = subject.audience.as_ref().and_then(|it| look.audience(it));
        let is_served = match (subject.what, audience) {
            // An API must not pass on what somebody else was shown, though the issuer calls all of them so.
            (IssuerUse::Exchange, Some(audience)) => audience.served_by.contains(client),
            _ => aud == ours,
        };
        if !is_served {
            return Err(ForeignFault::Audience(unknown_url(aud), plain(ours)));
        }
        let (end, now) = (subject.token.expires_at, self.clocks.now());
        if end <= now {
            let ago = now.unix().saturating_sub(end.unix());
            return Err(ForeignFault::Expired(ago));
        }
        Ok(())
    }
}
