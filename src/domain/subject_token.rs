//! What a token says of whom a client asks for: a subject token (RFC 8693 section 2.1), or a token of a trusted issuer that is
//! a grant (RFC 7523 section 2.1). It is verified before.

use serde_json::{Map, Value};

use super::access_token::AccessToken;
use super::actor_chain::ActorChain;
use super::client::Client;
use super::foreign_name;
use super::foreign_token::{ForeignFault, claimed_subject};
use super::identifier::{AudienceId, IssuerId};
use super::numeric_date::parse_numeric_date;
use super::policy::SubjectSource;
use super::refusal::ExchangeFault;
use super::scope::ScopeSet;
use super::shown;
use super::timestamp::Timestamp;

const ISSUER: &str = "iss";
const SUBJECT: &str = "sub";
const MAY_ACT: &str = "may_act";
const ACTOR: &str = "act";
const CONFIRMATION: &str = "cnf";
const EXPIRY: &str = "exp";

/// For whom a client asks, and within what.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectToken {
    /// What it is for, or who issued it.
    pub from: SubjectSource,
    /// The `sub` of what is issued for it.
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
            actors: token.act.clone().or_else(|| asked_for_another(token)),
            // One without scopes grants nothing.
            scopes: Some(ScopeSet::parse(&token.scope).unwrap_or_default()),
            expires_at: Timestamp::from_unix(token.exp),
            bound_to: token.cnf.clone(),
            claims,
        }
    }

    /// A token of `issuer` with these claims: its subject and actors are called by names of ours.
    ///
    /// # Errors
    /// A claim that tells of it in another form, or names that are too long.
    pub fn of_issuer(issuer: &IssuerId, claims: &Map<String, Value>) -> Result<Self, ForeignFault> {
        let name = |it: &str| foreign_name::qualified(issuer, it);
        let actors = claims
            .get(ACTOR)
            .map(|act| ActorChain::of_foreign(act, name).ok_or(ForeignFault::Malformed(ACTOR)));
        let bound_to = match claims.get(CONFIRMATION) {
            None => None,
            Some(Value::Object(members)) => Some(members.clone()),
            Some(_) => return Err(ForeignFault::Malformed(CONFIRMATION)),
        };
        let end = claims.get(EXPIRY).and_then(parse_numeric_date);
        let (subject, actors) = (name(claimed_subject(claims)), actors.transpose()?);
        if !foreign_name::fit([subject.as_str()]) {
            return Err(ForeignFault::Malformed(SUBJECT));
        }
        let acting = actors.iter().flat_map(ActorChain::iter);
        if !foreign_name::fit(acting.chain([subject.as_str()])) {
            return Err(ForeignFault::Malformed(ACTOR));
        }
        Ok(Self {
            from: SubjectSource::Issuer(issuer.clone()),
            subject,
            actors,
            scopes: None,
            expires_at: end.ok_or(ForeignFault::Malformed(EXPIRY))?,
            bound_to,
            claims: claims.clone(),
        })
    }

    /// Who acts with a token that `client` gets for it.
    ///
    /// # Errors
    /// It names who may act, and that is another (RFC 8693 section 4.4); or too many act already.
    pub fn actors_with(
        &self,
        client: &Client,
        our_issuer: &str,
    ) -> Result<ActorChain, ExchangeFault> {
        if let Some(named) = self.claims.get(MAY_ACT) {
            let actor = named.get(SUBJECT).and_then(Value::as_str);
            if actor != Some(client.id.as_str()) {
                return Err(ExchangeFault::MayAct(shown::unknown_or_none(actor, [])));
            }
            // Who is called so elsewhere is somebody else.
            if let Some(issuer) = named
                .get(ISSUER)
                .filter(|it| it.as_str() != Some(our_issuer))
            {
                let issuer = shown::unknown_or_none(issuer.as_str(), []);
                return Err(ExchangeFault::MayAct(format!("{}, of {issuer}", client.id)));
            }
        }
        ActorChain::led_by(client.id.as_str(), self.actors.as_ref())
            .map_err(|_| ExchangeFault::TooManyActors)
    }
}

/// A client that got a token for somebody by a trusted issuer's statement acts no less than one that exchanged a token: what
/// is given for its token dies with it as well.
fn asked_for_another(token: &AccessToken) -> Option<ActorChain> {
    let alone = || ActorChain::led_by(&token.client_id, None).ok();
    (token.sub != token.client_id).then(alone).flatten()
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

    #[test]
    fn nobody_of_another_issuer_is_called_as_a_client_of_ours() {
        let idp = IssuerId::parse("idp").unwrap();
        let read = |claims: &Value| SubjectToken::of_issuer(&idp, claims.as_object().unwrap());
        let claims = json!({ "sub": "web", "exp": 100.5, "scope": "a", "act": { "sub": "orders" },
            "cnf": { "jkt": "k" } });
        let token = read(&claims).unwrap();
        assert_eq!(token.subject, "idp|web");
        assert_eq!(token.from.to_string(), "issuer:idp");
        assert_eq!(token.scopes, None, "scopes of others are none of ours");
        assert_eq!(token.expires_at, Timestamp::from_unix(100));
        assert_eq!(token.bound_to.unwrap()["jkt"], "k");
        let actors = token.actors.unwrap();
        assert_eq!(actors.iter().collect::<Vec<_>>(), ["idp|orders"]);
        for wrong in [
            json!({ "sub": "web", "exp": 1, "act": "orders" }),
            json!({ "sub": "web", "exp": 1, "cnf": "k" }),
            json!({ "sub": "web", "exp": 1, "cnf": null }),
            json!({ "sub": "web" }),
            json!({ "sub": "x".repeat(4000), "exp": 1 }),
            json!({ "sub": "web", "exp": 1, "act": { "sub": "x".repeat(4000) } }),
        ] {
            assert!(
                matches!(read(&wrong), Err(ForeignFault::Malformed(_))),
                "{wrong}"
            );
        }
    }

    /// EXC-06.
    #[test]
    fn who_may_act_is_honoured() {
        let named = |may_act: Value| {
            let token = subject(&json!({ "may_act": may_act }));
            token.actors_with(&Client::bare("orders"), "https://us.example")
        };
        assert!(named(json!({ "sub": "orders" })).is_ok());
        assert!(named(json!({ "sub": "orders", "iss": "https://us.example" })).is_ok());
        let silent = subject(&json!({}));
        let any = silent.actors_with(&Client::bare("orders"), "https://us.example");
        assert!(any.is_ok());
        for other in [
            json!({ "sub": "Orders" }),
            json!({ "sub": "orders", "iss": "https://us.example/" }),
            json!({ "sub": "orders", "iss": "https://evil.example" }),
            json!({ "sub": "orders", "iss": null }),
            json!({ "iss": "https://us.example" }),
            json!({}),
            json!(null),
            json!("orders"),
        ] {
            let fault = named(other.clone()).unwrap_err();
            assert!(matches!(fault, ExchangeFault::MayAct(_)), "{other}");
        }
    }
}
