//! The last look: what a request is judged by, as it stands at the moment in which it is judged (DESIGN section 1,
//! "Between looking and signing").
//!
//! A request may wait long after its client was first looked at: for a hash, for the replay cache, for a second to
//! pass. What was seen before such a wait counts for nothing. A [`Look`] exists only inside a closure that cannot
//! await, and signing takes nothing that was not made of one: so no wait can come between the two. What a closure makes
//! of a look leaves it, the look does not:
//!
//! ```
//! # use grantd::domain::identifier::ClientId;
//! # use grantd::store::memory::{directory::Directory, look::About};
//! async fn made_of_it(directory: &Directory, id: &ClientId) -> Option<bool> {
//!     directory.at_last(id, About::ItselfAlone, |look| look.client().is_some()).await.ok()
//! }
//! ```
//!
//! ```compile_fail
//! # use grantd::domain::identifier::ClientId;
//! # use grantd::store::memory::{directory::Directory, look::About};
//! async fn itself(directory: &Directory, id: &ClientId) -> Option<bool> {
//!     let look = directory.at_last(id, About::ItselfAlone, |look| look).await.ok()?;
//!     Some(look.client().is_some())
//! }
//! ```

use std::marker::PhantomData;
use std::sync::Arc;

use super::directory::{Directory, LOAD_ATTEMPTS};
use super::issuers::Issuers;
use crate::domain::audience::Audience;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::error::StoreError;

/// What a request is judged by beside its own client.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// Nothing else.
    ItselfAlone,
    /// A token.
    Token(Named<'a>),
    /// The audiences of its policies, and tokens.
    ItsPoliciesAnd(&'a [Named<'a>]),
}

/// Whom and what a token names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The client that it was issued to, and those that are named beside it.
    pub clients: &'a [ClientId],
    /// Its audience, where it can be one of ours.
    pub audience: Option<&'a AudienceId>,
    /// The issuer that vouches for its subject, if it is trusted, where that is none of our clients.
    pub issuer: Option<&'a IssuerId>,
}

/// What was seen, all of it true at one moment.
#[derive(Debug)]
pub struct Look<'a> {
    seen: &'a Seen,
    /// Keeps a borrowed look out of every future that moves between threads.
    moment: PhantomData<*const ()>,
}

#[derive(Debug, Default)]
struct Seen {
    client: Option<Arc<KnownClient>>,
    named: Vec<Arc<KnownClient>>,
    audiences: Vec<Arc<Audience>>,
    /// Not read where no token names one, so that others are served also where they cannot be.
    issuers: Option<Arc<Issuers>>,
}

impl Look<'_> {
    /// The client of the request; `None` where it does not exist any more.
    #[must_use]
    pub fn client(&self) -> Option<&KnownClient> {
        self.seen.client.as_deref()
    }

    /// A client that a token names; `None` where it does not exist any more.
    #[must_use]
    pub fn named(&self, id: &ClientId) -> Option<&KnownClient> {
        let mut named = self.seen.named.iter();
        named.find(|it| it.client.id == *id).map(Arc::as_ref)
    }

    /// The audience of one of the client's policies, or of a token.
    #[must_use]
    pub fn audience(&self, id: &AudienceId) -> Option<&Arc<Audience>> {
        self.seen.audiences.iter().find(|it| it.id == *id)
    }

    /// An issuer that a token names; `None` where it is not trusted any more.
    #[must_use]
    pub fn issuer(&self, id: &IssuerId) -> Option<&TrustedIssuer> {
        let issuers = self.seen.issuers.as_ref()?;
        issuers.get(id).map(Arc::as_ref)
    }
}

impl Directory {
    /// Lets `judge` look at the client `id` and at what the request is `about`, once nothing of it changed while it
    /// was fetched.
    ///
    /// # Errors
    /// An unreachable database, or changes without end, where memory does not have it.
    pub async fn at_last<R>(
        &self,
        id: &ClientId,
        about: About<'_>,
        judge: impl FnOnce(&Look<'_>) -> R,
    ) -> Result<R, StoreError> {
        for _ in 0..LOAD_ATTEMPTS {
            let before = self.version();
            let seen = self.see(id, about).await?;
            if self.version() == before {
                return Ok(judge(&Look {
                    seen: &seen,
                    moment: PhantomData,
                }));
            }
        }
        Err(StoreError::Conflict(id.to_string()))
    }

    async fn see(&self, id: &ClientId, about: About<'_>) -> Result<Seen, StoreError> {
        let mut seen = Seen {
            client: self.client(id).await?,
            ..Seen::default()
        };
        let (of_policies, tokens) = match &about {
            About::ItselfAlone => (None, &[][..]),
            About::Token(token) => (None, std::slice::from_ref(token)),
            About::ItsPoliciesAnd(tokens) => (seen.client.clone(), *tokens),
        };
        for policy in of_policies.iter().flat_map(|it| &it.policies) {
            seen.audiences
                .extend(self.audience(&policy.audience).await?);
        }
        for token in tokens {
            if token.issuer.is_some() && seen.issuers.is_none() {
                seen.issuers = Some(self.issuers().await?);
            }
            for id in token.clients {
                seen.named.extend(self.client(id).await?);
            }
            if let Some(audience) = token.audience {
                seen.audiences.extend(self.audience(audience).await?);
            }
        }
        Ok(seen)
    }
}
