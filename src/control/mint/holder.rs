//! Whose token it is, and for which API: as a test says, or the first that there are.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::control::fault::Fault;
use crate::control::state::Control;
use crate::crypto::random;
use crate::domain::access_token::AccessToken;
use crate::domain::audience::Audience;
use crate::domain::client::ClientStatus;
use crate::domain::confirmation::Confirmation;
use crate::domain::grant_decision::Grant;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::{Seconds, Timestamp};

/// Among so many clients one is chosen where a test names none.
const MOST: u16 = 1000;

/// A client, and an audience of which it may know nothing.
#[derive(Clone, Debug)]
pub(in crate::control) struct Holder {
    pub(in crate::control) known: Arc<KnownClient>,
    pub(in crate::control) audience: Arc<Audience>,
}

/// What a token says of itself besides whose it is.
#[derive(Clone, Debug)]
pub(in crate::control) struct Terms {
    pub(in crate::control) scope: Option<ScopeSet>,
    pub(in crate::control) issued_at: Timestamp,
    pub(in crate::control) lifetime: Option<Seconds>,
    /// As `cnf`.
    pub(in crate::control) confirmation: Option<Map<String, Value>>,
}

impl Holder {
    /// The client and the audience of these names. Where one is absent, that of the first client with a policy counts, in
    /// the order of the catalog.
    ///
    /// # Errors
    /// 404 for an unknown name, 409 where there is none to choose.
    pub(in crate::control) async fn chosen(
        control: &Control,
        client: Option<&str>,
        audience: Option<&str>,
    ) -> Result<Self, Fault> {
        let audience = match audience {
            Some(name) => Some(audience_named(control, name).await?),
            None => None,
        };
        let known = if let Some(name) = client {
            control.client(name).await?
        } else {
            let candidates = candidates(control, audience.as_deref()).await?;
            let first = candidates.into_iter().next();
            first.ok_or_else(|| no_client(audience.as_deref()))?
        };
        let audience = match audience {
            Some(audience) => audience,
            None => first_audience(control, &known).await?,
        };
        Ok(Self { known, audience })
    }

    /// Another client that may call the same audience, where there is one.
    ///
    /// # Errors
    /// 503.
    pub(in crate::control) async fn other(&self, control: &Control) -> Result<Option<Self>, Fault> {
        let candidates = candidates(control, Some(&self.audience)).await?;
        let own = &self.known.client.id;
        let other = candidates.into_iter().find(|it| it.client.id != *own);
        Ok(other.map(|known| Self {
            known,
            audience: Arc::clone(&self.audience),
        }))
    }

    /// Its policy for the audience.
    fn policy(&self) -> Option<&Policy> {
        let mut policies = self.known.policies.iter();
        policies.find(|it| it.audience == self.audience.id && it.enabled)
    }

    /// What it gets without asking for scopes: its default, else all that it may have, else all that there are.
    pub(in crate::control) fn usual_scope(&self) -> ScopeSet {
        match self.policy() {
            Some(policy) if !policy.default_scopes.is_empty() => policy.default_scopes.clone(),
            Some(policy) if !policy.scopes.is_empty() => policy.scopes.clone(),
            _ => self.audience.scopes.keys().cloned().collect(),
        }
    }

    /// How long its tokens live.
    pub(in crate::control) fn usual_lifetime(&self, longest: Seconds) -> Seconds {
        let of_policy = self.policy().and_then(|it| it.token_lifetime);
        self.audience.lifetime(of_policy).min(longest)
    }

    /// The claims of a token, as issuing makes them.
    ///
    /// # Errors
    /// 503 where they are no JSON.
    pub(in crate::control) fn claims(
        &self,
        control: &Control,
        terms: Terms,
    ) -> Result<Map<String, Value>, Fault> {
        let longest = control.settings().tokens.max_lifetime;
        let lifetime = terms.lifetime;
        let grant = Grant {
            audience: Arc::clone(&self.audience),
            scopes: terms.scope.unwrap_or_else(|| self.usual_scope()),
            lifetime: lifetime.unwrap_or_else(|| self.usual_lifetime(longest)),
            claims: self
                .policy()
                .map(|it| it.claims.clone())
                .unwrap_or_default(),
        };
        let client = &self.known.client;
        let live = self
            .known
            .credentials
            .iter()
            .find(|it| it.retired_at.is_none());
        let credential = live.map_or_else(random::credential_id, |it| it.id.clone());
        let token = AccessToken {
            cnf: terms.confirmation,
            ..AccessToken::new(
                control.settings().issuer.as_str(),
                (client.id.as_str(), client),
                &grant,
                &Confirmation::default(),
                (terms.issued_at, random::access_token_id(&credential)),
            )
        };
        match serde_json::to_value(token) {
            Ok(Value::Object(claims)) => Ok(claims),
            Ok(_) => Ok(Map::new()),
            Err(error) => Err(Fault::unavailable(&error)),
        }
    }
}

async fn audience_named(control: &Control, name: &str) -> Result<Arc<Audience>, Fault> {
    let found = match AudienceId::parse(name) {
        Ok(id) => control.grantd().directory().audience(&id).await,
        Err(_) => Ok(None),
    };
    if let Some(audience) = found.map_err(|error| Fault::unavailable(&error))? {
        return Ok(audience);
    }
    let all = control.grantd().store().all_audiences().await;
    let all = all.map_err(|error| Fault::unavailable(&error))?;
    let known = all.iter().map(|it| it.id.as_str());
    Err(Fault::unknown("audience", name, known).at("audience"))
}

/// The clients that may call the audience, or any, in the order of the catalog.
async fn candidates(
    control: &Control,
    audience: Option<&Audience>,
) -> Result<Vec<Arc<KnownClient>>, Fault> {
    let may_call = |it: &Arc<KnownClient>| {
        let mut policies = it.policies.iter().filter(|policy| policy.enabled);
        let has_policy =
            policies.any(|policy| audience.is_none_or(|audience| policy.audience == audience.id));
        has_policy && it.client.status == ClientStatus::Active && !it.client.grants.is_empty()
    };
    let all = in_order(control).await?;
    Ok(all.into_iter().filter(may_call).collect())
}

/// The clients of the catalog that `grantd dev` was started with come first, in its order.
async fn in_order(control: &Control) -> Result<Vec<Arc<KnownClient>>, Fault> {
    let stored = control
        .grantd()
        .store()
        .first_of_catalog(i64::from(MOST))
        .await;
    let (_, stored) = stored.map_err(|error| Fault::unavailable(&error))?;
    let catalog = &control.world().catalog.clients;
    let place = |id: &ClientId| catalog.iter().position(|it| it.id == *id);
    let mut all: Vec<Arc<KnownClient>> = stored.into_iter().map(Arc::new).collect();
    // None would come first.
    all.sort_by_key(|it| place(&it.client.id).unwrap_or(usize::MAX));
    Ok(all)
}

async fn first_audience(control: &Control, known: &KnownClient) -> Result<Arc<Audience>, Fault> {
    let policies = known.policies.iter().filter(|it| it.enabled);
    let of_policies = policies.map(|it| it.audience.clone());
    let all = control.grantd().store().all_audiences().await;
    let all = all.map_err(|error| Fault::unavailable(&error))?;
    let any = all.into_iter().map(|it| it.id);
    let first = of_policies.chain(any).next();
    let first = first.ok_or_else(|| Fault::conflict("there is no audience yet"))?;
    audience_named(control, first.as_str()).await
}

fn no_client(audience: Option<&Audience>) -> Fault {
    let what = audience.map_or("anything".to_owned(), |it| it.id.to_string());
    Fault::conflict(format!("no client may call {what}: name one")).at("client_id")
}
