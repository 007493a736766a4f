//! The decision on one request: who asked from where for what, the checks that it passed, and how it ended. It is built
//! while the request is judged and written down once; log line, audit event and whatever comes later are views of it,
//! found by the request's id (OPERATING section 1).

mod asked_scopes;
mod checks;
mod claimed_client;
mod outcome;

pub use asked_scopes::AskedScopes;
pub use checks::{Checks, Judged};
pub use claimed_client::ClaimedClient;
pub use outcome::Outcome;

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::check::{Chain, Passed};
use super::client::{AuthMethod, GrantType};
use super::confirmation::Confirmation;
use super::grant_decision::Grant;
use super::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
use super::once::Life;
use super::policy::SubjectSource;
use super::scope::ScopeSet;
use super::timestamp::{Seconds, Timestamp};
use super::traceparent::Traceparent;

/// A request that is being judged.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The request's id, always ours.
    pub request_id: Uuid,
    /// When it came.
    pub at: Timestamp,
    /// The endpoint, as in the metadata: `token`, `introspection`, `revocation`.
    pub endpoint: &'static str,
    /// Where it came from.
    pub source: IpAddr,
    /// The trusted proxy that passed it on.
    pub proxy: Option<IpAddr>,
    /// Where the request stands in a trace of the caller.
    pub traceparent: Option<Traceparent>,
    /// The grant that was asked for.
    pub grant: Option<GrantType>,
    /// The client id that was presented.
    pub client: Option<ClaimedClient>,
    /// The method of client authentication.
    pub method: Option<AuthMethod>,
    /// The trusted issuer whose token the client proves itself by.
    pub issuer: Option<IssuerId>,
    /// The credential whose secret, signature or certificate was right.
    pub credential: Option<CredentialId>,
    /// The audience of the token, once one was found that the client may use; of a token that was shown, its own.
    pub audience: Option<AudienceId>,
    /// The client that a token which was shown was issued to, where its signature is ours.
    pub holder: Option<ClientId>,
    /// What the token is for, or who issued it, that says for whom the client asks.
    pub from: Option<SubjectSource>,
    /// For whom the client asks, where that is not itself, and who acts.
    pub delegation: Option<Box<Delegation>>,
    /// The scopes that were asked for by name.
    pub scopes_asked: Option<AskedScopes>,
    /// The scopes that were granted.
    pub scopes_granted: Option<ScopeSet>,
    /// The `jti` of the token that was issued or shown; no secret, and of a token that was shown only where its signature
    /// is ours.
    pub jti: Option<String>,
    /// How long the token that was issued lives.
    pub lifetime: Option<Seconds>,
    /// How long the accepted assertion counts.
    pub assertion: Option<Life>,
    /// Whether a DPoP proof came with it.
    pub has_proof: bool,
    /// How long the accepted proof counts.
    pub proof: Option<Life>,
    /// What is being written for it, whoever waits for that: `the use of a jti`, `the revocation`.
    pub pending: Option<&'static str>,
    /// What the token that was issued is bound to.
    pub bound_to: Confirmation,
    /// The checks that it passed so far.
    pub passed: Passed,
}

/// Who acts for whom, as a token tells it whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delegation {
    /// The subject.
    pub subject: String,
    /// Who acts, the client that asks first, and who acted before it; empty where the token names nobody beside its subject.
    pub actors: Vec<String>,
}

impl Delegation {
    /// All that act, as one text, where there are any: a name that could be taken for several is quoted.
    #[must_use]
    pub fn actors(&self) -> Option<String> {
        let shown = |name: &String| {
            if name.contains([',', ' ', '"']) {
                format!("{name:?}")
            } else {
                name.clone()
            }
        };
        let shown: Vec<String> = self.actors.iter().map(shown).collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }
}

/// A decision that has ended.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The request.
    pub decision: Decision,
    /// How it ended.
    pub outcome: Outcome,
    /// How long that took.
    pub took: Duration,
}

impl Decision {
    /// A request of which nothing else is known yet.
    #[must_use]
    pub fn new(
        request_id: Uuid,
        endpoint: &'static str,
        at: Timestamp,
        (source, proxy): (IpAddr, Option<IpAddr>),
    ) -> Self {
        Self {
            request_id,
            at,
            endpoint,
            source,
            proxy,
            traceparent: None,
            grant: None,
            client: None,
            method: None,
            issuer: None,
            credential: None,
            audience: None,
            holder: None,
            from: None,
            delegation: None,
            scopes_asked: None,
            scopes_granted: None,
            jti: None,
            lifetime: None,
            assertion: None,
            has_proof: false,
            proof: None,
            pending: None,
            bound_to: Confirmation::default(),
            passed: Passed::default(),
        }
    }

    /// All checks of `chain` have passed.
    pub const fn passed(&mut self, chain: Chain) {
        self.passed.chain(chain);
    }

    /// The client exists: its id is none of a stranger's making.
    pub const fn recognise_client(&mut self) {
        if let Some(claimed) = &mut self.client {
            claimed.recognise();
        }
    }

    /// A token with this name was issued for `grant`, bound to `confirmation`.
    pub fn issued(&mut self, grant: Grant, confirmation: Confirmation, jti: String) {
        self.bound_to = confirmation;
        if let Some(asked) = &mut self.scopes_asked {
            asked.grant();
        }
        self.lifetime = Some(grant.lifetime);
        self.scopes_granted = Some(grant.scopes);
        self.jti = Some(jti);
    }

    /// Waits until `written` is done, which goes on when nobody waits for it any more: then the record names `what`.
    pub async fn until_written<T>(
        &mut self,
        what: &'static str,
        written: impl Future<Output = T>,
    ) -> T {
        self.pending = Some(what);
        let done = written.await;
        self.pending = None;
        done
    }
}

impl Decided {
    /// The end of a request for whose answer nobody waits any more: where every request ends that ends no other way.
    #[must_use]
    pub const fn abandoned(decision: Decision) -> Self {
        Self {
            decision,
            outcome: Outcome::Abandoned,
            took: Duration::ZERO,
        }
    }

    /// Until when the token that was issued has more than half of its life left; `None` where none was. Whoever gets an
    /// equal one before wastes that.
    #[must_use]
    pub fn fresh_until(&self) -> Option<Timestamp> {
        let lifetime = match self.outcome {
            Outcome::Issued => self.decision.lifetime?,
            _ => return None,
        };
        let half = i64::from(lifetime.get() / 2);
        let at = self.decision.at.unix();
        Some(Timestamp::from_unix(at.saturating_add(half)))
    }

    /// Ends it in another way.
    pub fn end(&mut self, outcome: Outcome) {
        if let Some(finding) = outcome.finding() {
            self.decision.passed.up_to(finding.check);
        }
        if let Outcome::Spoiled(_) = outcome {
            // Nobody got the token.
            (self.decision.jti, self.decision.lifetime) = (None, None);
        }
        self.outcome = outcome;
    }
}
