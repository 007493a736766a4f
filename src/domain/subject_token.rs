//! What a subject token says that a token exchange goes by (RFC 8693 section 2.1), whoever issued it. It is verified before.

use serde_json::{Map, Value};

use super::access_token::AccessToken;
use super::actor_chain::ActorChain;
use super::client::Client;
use super::identifier::AudienceId;
use super::policy::SubjectSource;
use super::refusal::ExchangeFault;
use super::scope::ScopeSet;
use super::shown;
use super::timestamp::Timestamp;

const SUBJECT: &str = "sub";
const MAY_ACT: &str = "may_act";

/// For whom a client asks, and within what.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectToken {
    /// What it is for, or who issued it.
    pub from: SubjectSource,
    /// The `sub` of what it is exchanged for.
    pub subject: String,
    /// Who acts with it already.
    pub actors: Option<ActorChain>,
    /// Its scopes, where they are ours.
    pub scopes: Option<ScopeSet>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What it is bound to: its `cnf`.
    pub bound_to: Option<Map<String, Value>>,
    /// All of its claims.
    pub claims: Map<String, Value>,
}

impl SubjectToken {
    /// A token of ours, which is for `audience`.
    #[must_use]
    pub fn of_ours(token: &AccessToken, audience: &AudienceId) -> Self {
        let claims = match serde_json::to_value(token) {
            Ok(Value::Object(claims)) => claims,
            _ => Map::new(),
        };
        Self {
            from: SubjectSource::Audience(audience.clone()),
            subject: token.sub.clone(),
            actors: token.act.clone(),
            // One without scopes grants nothing.
            scopes: Some(ScopeSet::parse(&token.scope).unwrap_or_default()),
            expires_at: Timestamp::from_unix(token.exp),
            bound_to: token.cnf.clone(),
            claims,
        }
    }

    /// Who acts with a token that `client` gets for it.
    ///
    /// # Errors
    /// It names who may act, and that is another (RFC 8693 section 4.4); or too many act already.
    pub fn actors_with(&self, client: &Client) -> Result<ActorChain, ExchangeFault> {
        if let Some(named) = self.claims.get(MAY_ACT) {
            let actor = named.get(SUBJECT).and_then(Value::as_str);
            if actor != Some(client.id.as_str()) {
                return Err(ExchangeFault::MayAct(shown::unknown_or_none(actor, [])));
            }
        }
        ActorChain::led_by(client.id.as_str(), self.actors.as_ref())
            .map_err(|_| ExchangeFault::TooManyActors)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subject(claims: &Value) -> SubjectToken {
        let claims = claims.as_object().unwrap().clone();
        SubjectToken {
            from: SubjectSource::parse("orders-api").unwrap(),
            subject: "web".to_owned(),
            actors: None,
            scopes: None,
            expires_at: Timestamp::from_unix(100),
            bound_to: None,
            claims,
        }
    }

    /// EXC-06.
    #[test]
    fn who_may_act_is_honoured() {
        let named = |may_act: Value| {
            subject(&json!({ "may_act": may_act })).actors_with(&Client::bare("orders"))
        };
        assert!(named(json!({ "sub": "orders" })).is_ok());
        assert!(
            subject(&json!({}))
                .actors_with(&Client::bare("orders"))
                .is_ok()
        );
        for other in [
            json!({ "sub": "Orders" }),
            json!({}),
            json!(null),
            json!("orders"),
        ] {
            let fault = named(other.clone()).unwrap_err();
            assert!(matches!(fault, ExchangeFault::MayAct(_)), "{other}");
        }
    }
}
