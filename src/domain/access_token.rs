//! The claims of an access token, RFC 9068 section 2.2.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::actor_chain::ActorChain;
use super::client::Client;
use super::confirmation::Confirmation;
use super::extra_claims;
use super::foreign_name;
use super::grant_decision::Grant;
use super::identifier::{CredentialId, IssuerId};
use super::kept_claims::KeptClaims;
use super::numeric_date::parse_numeric_date;
use super::timestamp::{Seconds, Timestamp};
use super::token_fault::TokenFault;

/// How an opaque token begins, so that scanners can find it. No generated secret begins so: its id has ten characters.
pub const OPAQUE_PREFIX: &str = "grantd_at_";

/// How far the clock of the replica that issued a token may be ahead of another's (DESIGN section 1).
const ISSUED_AHEAD: Seconds = Seconds::new(2);

/// Whether `text` has the form of a `jti`: the id of a credential, a dot, and 128 bits in base64url.
#[must_use]
pub fn is_jti(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.split_once('.').is_some_and(|(credential, random)| {
        CredentialId::parse(credential).is_ok()
            && random.len() == 22
            && random.bytes().all(is_base64url)
    })
}

/// The claims of one access token, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The issuer.
    pub iss: String,
    /// Who it is for: of `client_credentials` the client itself, of an exchange that of the subject token, of a trusted
    /// issuer's token `ISSUER|SUBJECT`.
    pub sub: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The authorized party, for verifiers that look there.
    pub azp: String,
    /// The one audience; a list with one member says the same (RFC 7519 section 4.1.3).
    #[serde(deserialize_with = "one_audience")]
    pub aud: String,
    /// The scopes with single spaces between; grantd grants at least one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Issued at, in Unix seconds; of all three instants a fraction is dropped.
    #[serde(deserialize_with = "instant")]
    pub iat: i64,
    /// Expires at, in Unix seconds.
    #[serde(deserialize_with = "instant")]
    pub exp: i64,
    /// Not valid before, in Unix seconds; grantd sets none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_instant"
    )]
    pub nbf: Option<i64>,
    /// The token's own name: the id of the credential that it was issued for, a dot, and 128 random bits.
    pub jti: String,
    /// The client's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The client's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// What the token is bound to, RFC 7800.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Map<String, Value>>,
    /// Who acts with it for its subject, where it was exchanged (RFC 8693 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActorChain>,
    /// The client's extra claims, and over them the policy's.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl AccessToken {
    /// The claims of a token for `subject` that `grant` gives to `client` at `now`, bound to what `confirmation` names.
    #[must_use]
    pub fn new(
        issuer: &str,
        (subject, client): (&str, &Client),
        grant: &Grant,
        confirmation: &Confirmation,
        (now, jti): (Timestamp, String),
    ) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub: subject.to_owned(),
            client_id: client.id.as_str().to_owned(),
            azp: client.id.as_str().to_owned(),
            aud: grant.audience.id.as_str().to_owned(),
            scope: grant.scopes.to_string(),
            iat: now.unix(),
            exp: now.plus(grant.lifetime).unix(),
            nbf: None,
            jti,
            tenant: client.tenant.clone(),
            env: client.environment.clone(),
            cnf: confirmation.to_claim(),
            act: None,
            extra: extra_claims::merged(&client.claims, &grant.claims),
        }
    }

    /// The same, where `actors` act for its subject, of whom it tells what was `kept`.
    #[must_use]
    pub fn delegated(self, actors: Option<ActorChain>, kept: KeptClaims) -> Self {
        Self {
            act: actors,
            tenant: kept.tenant,
            env: kept.environment,
            extra: kept.extra,
            ..self
        }
    }

    /// Who must live beside the client that it was issued to, where that acts for somebody: its subject, and each who acted.
    pub fn others_named(&self) -> impl Iterator<Item = &str> {
        let actors = self.act.iter().flat_map(ActorChain::iter);
        let is_delegated = self.act.is_some() || self.issuer_of_subject().is_some();
        let named = is_delegated
            .then_some(self.sub.as_str())
            .into_iter()
            .chain(actors);
        named.filter(|it| *it != self.client_id)
    }

    /// The issuer that vouches for its subject, where that is none of our clients.
    #[must_use]
    pub fn issuer_of_subject(&self) -> Option<IssuerId> {
        if self.sub == self.client_id {
            None
        } else {
            foreign_name::issuer_of(&self.sub)
        }
    }

    /// Whether it was issued for this credential, which its `jti` names.
    #[must_use]
    pub fn came_from(&self, credential: &CredentialId) -> bool {
        self.jti
            .split_once('.')
            .is_some_and(|(id, _)| id == credential.as_str())
    }

    /// That it is within its life at `now`: issued, and not expired (RFC 7519 section 4.1.4). The replica that issued
    /// it may have a clock that is a little ahead of ours; its end is exact.
    ///
    /// # Errors
    /// Its begin is ahead, or its end past.
    pub fn check_life(&self, now: Timestamp) -> Result<(), TokenFault> {
        let begin = self.iat.max(self.nbf.unwrap_or(self.iat));
        if begin > now.plus(ISSUED_AHEAD).unix() {
            Err(TokenFault::NotYetValid(begin.saturating_sub(now.unix())))
        } else if now.unix() >= self.exp {
            Err(TokenFault::Expired(now.unix().saturating_sub(self.exp)))
        } else {
            Ok(())
        }
    }
}

fn one_audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        Text(String),
        List([String; 1]),
    }

    let (Audience::Text(audience) | Audience::List([audience])) =
        Audience::deserialize(deserializer)?;
    Ok(audience)
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let instant = parse_numeric_date(&value).ok_or_else(|| D::Error::custom("no instant"))?;
    Ok(instant.unix())
}

fn optional_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    instant(deserializer).map(Some)
}
