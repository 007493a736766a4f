//! An access token, whoever has it: what introspection would answer, and why.

use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::stopped::behind;
use super::{Explained, ending};
use crate::domain::check::Chain;
use crate::domain::client::AuthMethod;
use crate::domain::decision::{Decision, Judged, Outcome};
use crate::domain::identifier::ClientId;
use crate::domain::refusal::ClientFault;
use crate::domain::token_fault::TokenFault;
use crate::operations::Grantd;
use crate::operations::authenticate_client::AssumedClient;
use crate::operations::caller::Caller;
use crate::operations::error::OperationError;
use crate::operations::introspect_token::Introspected;
use crate::store::error::StoreError;

/// What the client `asked_by` would be told of `token`; without one, a client that serves the token's audience.
///
/// # Errors
/// A database out of reach.
pub async fn explain_token(
    grantd: &Grantd,
    token: &str,
    asked_by: Option<&str>,
) -> Result<Explained, StoreError> {
    let at = grantd.clock().now();
    let from = (Ipv4Addr::LOCALHOST.into(), None);
    let mut decision = Decision::new(Uuid::nil(), "introspection", at, from);
    let told = grantd.introspect_assumed(token, asked_by, &mut decision);
    let (outcome, answer) = match told.await {
        Ok(Ok(members)) => (Outcome::Active, json!(members)),
        Ok(Err(fault)) => (Outcome::Inactive(fault), json!({ "active": false })),
        Err(error) => (ending(error)?, Value::Null),
    };
    let mut explained = Explained::of_unsent(decision, outcome);
    let is_judged = |it: &Judged| {
        it.check.chain() != Chain::TokenOwner
            && (it.passed == Some(false) || it.check.name() == "token")
    };
    explained.checks.retain(is_judged);
    explained.stopped = behind(grantd.store(), &explained, at).await?;
    let asked_by = json!(explained.text("client"));
    let of_tokens = ["audience", "holder", "jti"];
    explained.about.retain(|(name, _)| of_tokens.contains(name));
    explained.about.insert(0, ("asked_by", asked_by));
    explained.about.push(("answer", answer));
    Ok(explained)
}

impl Grantd {
    async fn introspect_assumed(
        &self,
        token: &str,
        asked_by: Option<&str>,
        decision: &mut Decision,
    ) -> Result<Introspected, OperationError> {
        self.feed.check_fitness()?;
        let may_ask = match asked_by {
            Some(id) => vec![id.to_owned()],
            None => match self.servers_of(token, decision).await? {
                Ok(servers) => servers,
                Err(fault) => return Ok(Err(fault)),
            },
        };
        let asker = self.assume_one(&may_ask, decision).await?;
        self.introspect_as(&asker, token, decision).await
    }

    /// The clients that serve the token's audience, or why it is inactive for whoever asks.
    async fn servers_of(
        &self,
        token: &str,
        decision: &mut Decision,
    ) -> Result<Result<Vec<String>, TokenFault>, StoreError> {
        let token = match self.own_token(token, self.clocks.now()) {
            Ok(token) => token,
            Err(fault) => return Ok(Err(fault)),
        };
        decision.passed(Chain::Token);
        decision.audience = Some(token.audience.clone());
        decision.holder = Some(token.holder);
        decision.jti = Some(token.claims.jti);
        let audience = self.memory.directory.audience(&token.audience).await?;
        Ok(match audience {
            None => Err(TokenFault::NoAudience(token.audience)),
            Some(audience) if audience.served_by.is_empty() => {
                Err(TokenFault::NotServed(token.audience))
            }
            Some(audience) => Ok(audience.served_by.iter().map(ToString::to_string).collect()),
        })
    }

    /// The first of these clients that can prove itself by one of its methods; else what stands in the way of the first.
    async fn assume_one(
        &self,
        ids: &[String],
        decision: &mut Decision,
    ) -> Result<AssumedClient, OperationError> {
        let caller = Caller {
            source: decision.source,
            proxy: None,
            certificate: None,
            hashing_turn: Arc::default(),
        };
        let mut failed = None;
        for id in ids {
            for method in self.methods_of(id).await? {
                let mut tried = decision.clone();
                let by = (id.as_str(), method);
                match self
                    .authenticator
                    .assume_client(by, &caller, &mut tried)
                    .await
                {
                    Ok(assumption) => {
                        *decision = tried;
                        return Ok(assumption.client);
                    }
                    Err(error) => _ = failed.get_or_insert((tried, error)),
                }
            }
        }
        let (tried, error) = failed.ok_or(ClientFault::UnknownClient)?;
        *decision = tried;
        Err(error)
    }

    /// The methods that the client may use and has credentials for, where it has any; of a client that there is not, any.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn methods_of(&self, id: &str) -> Result<Vec<AuthMethod>, StoreError> {
        let known = match ClientId::parse(id) {
            Ok(id) => self.memory.directory.client(&id).await?,
            Err(_) => None,
        };
        let methods = known.map(|it| it.methods());
        let methods = methods.filter(|it| !it.is_empty());
        Ok(methods.unwrap_or_else(|| vec![AuthMethod::ClientSecretBasic]))
    }
}
