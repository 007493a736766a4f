//! A token request that nobody sent: judged as one that was, up to the signature. Nothing is issued, spent, counted or
//! written.

use serde::Serialize;
use serde_json::{Map, Value};

use super::circumstances::{Asked, Circumstances};
use super::judge::Ready;
use crate::domain::access_token::AccessToken;
use crate::domain::client::AuthMethod;
use crate::domain::confirmation::token_type;
use crate::domain::decision::Decision;
use crate::domain::identifier::AudienceId;
use crate::domain::refusal::GrantFault;
use crate::operations::Grantd;
use crate::operations::basis::{Assumed, AssumedToHold};
use crate::operations::caller::Caller;
use crate::operations::error::OperationError;

/// In place of what only a token has, and of what only a proof tells.
const RANDOM: &str = "(22 random characters)";
const ITS_KEY: &str = "(jkt of its DPoP key)";

/// What is assumed of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::operations) struct Unsent<'a> {
    /// Its client, any text.
    pub(in crate::operations) client: &'a str,
    /// How the client proves itself.
    pub(in crate::operations) method: AuthMethod,
    /// What it asks for; a proof is not looked at.
    pub(in crate::operations) asked: Asked<'a>,
    /// Whether it brings a DPoP proof.
    pub(in crate::operations) brings_proof: bool,
}

/// The token that would be issued.
#[derive(Clone, Debug, Serialize)]
pub(in crate::operations) struct WouldIssue {
    /// Its header: `alg`, `kid` and `typ`; an opaque token has none.
    header: Option<Value>,
    /// Its claims; of the `jti` only what comes before the dot is known.
    claims: AccessToken,
    /// How long it would live, in seconds.
    lifetime: u32,
    /// The signing key; an opaque token has none.
    key: Option<String>,
    /// What it would be bound to: its `cnf`.
    binding: Option<Map<String, Value>>,
    /// `Bearer` or `DPoP`.
    token_type: &'static str,
}

impl Grantd {
    /// What would be issued to `unsent` if it came from `caller`, who holds the key of the certificate that it has.
    ///
    /// # Errors
    /// What the same request would be refused for, or an outage.
    pub(in crate::operations) async fn judge_unsent(
        &self,
        unsent: Unsent<'_>,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<WouldIssue, OperationError> {
        self.feed.check_fitness()?;
        self.know_target(unsent.asked.audience).await?;
        let (id, method) = (unsent.client, unsent.method);
        let assumption = self
            .authenticator
            .assume_client((id, method), caller, decision);
        let assumption = assumption.await?;
        let by = (&assumption.client, caller.source);
        let read = self.read_brought(unsent.asked.grant, by, decision);
        let (brought, to_spend) = read.await?;
        if let Some(token) = to_spend {
            let looked = self.authenticator.look_at_foreign(&token, decision);
            looked.await?.map_err(GrantFault::Assertion)?;
        }
        let id = assumption.client.id();
        let its_key = brought.key_of(id).unwrap_or(ITS_KEY).to_owned();
        let circumstances = Circumstances {
            asked: unsent.asked,
            source: caller.source,
            held: AssumedToHold {
                certificate: assumption.certificate,
                key: unsent.brings_proof.then_some(its_key),
            },
            brought,
        };
        let view = |ready: Ready<'_, Assumed>, decision: &mut Decision| {
            let (would, jti) = self.would_issue(&ready);
            decision.issued(ready.grant, ready.confirmation, jti);
            Ok(would)
        };
        self.decide_at_last(&assumption.client, &circumstances, decision, view)
            .await
    }

    /// What stands in the way of an audience is said of those in memory.
    async fn know_target(&self, audience: Option<&str>) -> Result<(), OperationError> {
        if let Some(Ok(id)) = audience.map(AudienceId::parse) {
            self.memory.directory.audience(&id).await?;
        }
        Ok(())
    }

    fn would_issue(&self, ready: &Ready<'_, Assumed>) -> (WouldIssue, String) {
        let jti = format!("{}.{RANDOM}", ready.entitlement.actor.credential());
        let claims = self.claims(ready, jti.clone());
        let header = ready.maker.header(&ready.grant.audience);
        let kid = header.as_ref().and_then(|it| it.get("kid"));
        let would = WouldIssue {
            key: kid.and_then(Value::as_str).map(str::to_owned),
            header,
            lifetime: ready.grant.lifetime.get(),
            binding: claims.cnf.clone(),
            token_type: token_type(claims.cnf.as_ref()),
            claims,
        };
        (would, jti)
    }
}
