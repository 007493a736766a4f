//! Who stopped what a request needed: the change that is behind a check that failed, with its reason.

use serde::Serialize;
use serde_json::Value;

use super::Explained;
use crate::domain::check::Check;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::audit_events::StoredEvent;
use crate::store::error::StoreError;

/// So many changes of one thing are looked at, the newest first.
const MOST: u32 = 100;
/// The clock of the server that refused may be behind the database's.
const APART: Seconds = Seconds::new(2);

/// A change that stopped something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done, as the audit log names it.
    pub action: String,
    /// To what.
    pub target: String,
    /// Why: what `--reason` said.
    pub reason: Option<String>,
}

/// The newest change up to `at` that explains the check which failed; `None` where no change does.
///
/// # Errors
/// A database out of reach, or a corrupt row.
pub(super) async fn behind(
    store: &Store,
    explained: &Explained,
    at: Timestamp,
) -> Result<Option<Stopped>, StoreError> {
    let Some(sought) = Sought::of(explained) else {
        return Ok(None);
    };
    let (target, actions) = (sought.target, sought.actions);
    let changes = store.changes_of((target, actions), at.plus(APART), MOST);
    let changes = changes.await?;
    let Some(change) = changes.iter().find(|change| sought.fits(change)) else {
        return Ok(None);
    };
    let action = verb(store, change).await?;
    Ok(Some(Stopped {
        at: change.at,
        actor: change.actor.clone(),
        action: action.unwrap_or_else(|| change.action.clone()),
        target: change.target.clone(),
        reason: text(change, "reason").map(str::to_owned),
    }))
}

/// What the command is called that made `change` among others on the same target.
async fn verb(store: &Store, change: &StoredEvent) -> Result<Option<String>, StoreError> {
    let Some(command) = text(change, "apply") else {
        return Ok(None);
    };
    let found = store.events_of_ids(&[command.to_owned()]).await?;
    let of_it = found.into_iter().find(|it| it.target == change.target);
    Ok(of_it.map(|it| it.action))
}

/// Which changes may be behind it.
struct Sought<'e> {
    target: &'e str,
    actions: &'static [&'static str],
    /// The credential that it must be of.
    credential: Option<&'e str>,
    /// What must name the audience that it is of.
    audience: Option<&'e str>,
    /// What begins with the scope that it took away.
    scope: Option<&'e str>,
}

const CLIENT: &[&str] = &[
    "client_changed",
    "client_deleted",
    "client_disabled",
    "client_removed",
];
const TOKENS: &[&str] = &[
    "client_changed",
    "client_deleted",
    "client_disabled",
    "client_removed",
    "client_tokens_revoked",
];
const CREDENTIAL: &[&str] = &[
    "credential_changed",
    "credential_compromised",
    "credential_removed",
    "credential_retired",
];
const COMPROMISED: &[&str] = &["credential_compromised"];
const POLICY: &[&str] = &["policy_changed", "policy_denied", "policy_removed"];
const AUDIENCE: &[&str] = &["audience_deleted", "audience_removed"];
const KEY: &[&str] = &["signing_key_compromised", "signing_key_retired"];

impl<'e> Sought<'e> {
    fn of(explained: &'e Explained) -> Option<Self> {
        let failed = explained.failed()?;
        let [client, holder, audience, jti] =
            ["client", "holder", "audience", "jti"].map(|name| explained.text(name));
        let found = failed.found.as_deref();
        let this = |target: Option<&'e str>, actions| {
            Some(Self {
                target: target?,
                actions,
                credential: None,
                audience: None,
                scope: None,
            })
        };
        let of = |credential, this: Option<Self>| {
            Some(Self {
                credential,
                ..this?
            })
        };
        match failed.check {
            Check::Client | Check::Status => this(client, CLIENT),
            Check::SecretTimes | Check::AssertionLiveKey | Check::Certificate => {
                let credential = Some(explained.text("credential")?);
                of(credential, this(client, CREDENTIAL))
            }
            Check::Policy => this(client, POLICY),
            Check::Target => Some(Self {
                audience: found,
                ..this(client, POLICY)?
            }),
            Check::ScopeKnown | Check::ScopeGranted => Some(Self {
                scope: found,
                ..this(client, POLICY)?
            }),
            Check::TokenKey => this(found, KEY),
            Check::TokenAudience => this(audience, AUDIENCE),
            Check::TokenHolder => this(holder, CLIENT),
            Check::TokenHolderMark => this(holder, TOKENS),
            Check::TokenPolicy | Check::TokenPolicyMark => Some(Self {
                audience,
                ..this(holder, POLICY)?
            }),
            Check::TokenCredentialMark => {
                let (credential, _) = jti?.split_once('.')?;
                of(Some(credential), this(holder, COMPROMISED))
            }
            Check::TokenAlive => this(jti, &["token_revoked"]),
            _ => None,
        }
    }

    fn fits(&self, change: &StoredEvent) -> bool {
        let is_of = |name: &str, sought: Option<&str>| {
            let of = text(change, name).unwrap_or_default();
            sought.is_none_or(|sought| begins_with_word(sought, of))
        };
        is_of("credential", self.credential)
            && is_of("audience", self.audience)
            && self.takes(change)
    }

    /// Whether the change takes something away.
    fn takes(&self, change: &StoredEvent) -> bool {
        let after = |name: &str| change.details.get("after").and_then(|it| it.get(name));
        match change.action.as_str() {
            "client_changed" => after("status").is_some_and(|it| it == "disabled"),
            "credential_changed" => after("retired_at").or(after("expires_at")).is_some(),
            "policy_changed" | "policy_denied" | "policy_removed" => {
                let is_off = after("enabled").is_some_and(|it| it == false);
                let mut gone = taken(change);
                let takes = |sought| gone.any(|scope| begins_with_word(sought, scope));
                self.scope
                    .map_or_else(|| is_off || taken(change).next().is_some(), takes)
            }
            _ => true,
        }
    }
}

/// The scopes that a change of a policy took away.
fn taken(change: &StoredEvent) -> impl Iterator<Item = &str> {
    let scopes = |state: &str| {
        let state = change.details.get(state).and_then(|it| it.get("scopes"));
        state
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let (before, after) = (scopes("before"), scopes("after"));
    let gone = before.iter().filter(move |it| !after.contains(it));
    gone.filter_map(Value::as_str)
}

/// Whether `text` is `word`, or goes on behind it with a comma or a blank, as what was found does.
fn begins_with_word(text: &str, word: &str) -> bool {
    let rest = text.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ' ']))
}

fn text<'e>(change: &'e StoredEvent, name: &str) -> Option<&'e str> {
    change.details.get(name)?.as_str()
}
