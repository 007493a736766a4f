//! Retires credentials: those that are named, or only those of them, or of a client, that nobody uses any more.

use std::collections::BTreeMap;

use serde::Serialize;

use super::actor::Actor;
use super::manage_credentials::{CredentialError, LATE_ISSUE, existing, note};
use crate::crypto::random;
use crate::domain::credential::{Credential, CredentialState};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;

/// Which credentials are meant.
#[derive(Clone, Debug)]
pub enum Selected {
    /// These.
    Named(Vec<CredentialId>),
    /// The live ones of a client, but never the last of them.
    LiveOf(ClientId),
}

/// How credentials are retired.
#[derive(Clone, Copy, Debug)]
pub struct Retirement<'a> {
    /// Only those that nobody has used for this long.
    pub when_unused: Option<Seconds>,
    /// The tokens that were issued for them become void, too.
    pub compromised: bool,
    /// Who retires them.
    pub by: &'a Actor,
}

/// What happened to one credential.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Which.
    pub credential: CredentialId,
    /// Its client.
    pub client: ClientId,
    /// Its last use, which replicas write down up to a minute late.
    pub last_used_at: Option<Timestamp>,
    /// Where that use came from.
    pub last_used_from: Option<std::net::IpAddr>,
    /// Why it stays; else it is retired.
    pub kept: Option<Kept>,
    /// When the last token that was issued for it has expired.
    pub tokens_end_at: Option<Timestamp>,
}

/// Why a credential is not retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// It was used since then.
    InUse,
    /// It was made, or began to count, since then, and may be used soon.
    New,
    /// The client would have no live one left.
    Last,
}

/// Retires all that is `selected`, or what of it nobody uses, in one transaction.
///
/// # Errors
/// No such credential, no such client, or a database out of reach: then none is retired.
pub async fn retire_credentials(
    store: &Store,
    selected: &Selected,
    retirement: Retirement<'_>,
) -> Result<Vec<Judged>, CredentialError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let mut all = Vec::new();
    for (known, ids) in owners(&mut change, selected).await? {
        all.extend(retire_of(&mut change, known, &ids, (selected, retirement)).await?);
    }
    change.commit().await?;
    Ok(all)
}

/// The clients of the selected credentials, each with the ids of these.
async fn owners(
    change: &mut ChangeTx,
    selected: &Selected,
) -> Result<Vec<(KnownClient, Vec<CredentialId>)>, CredentialError> {
    let ids = match selected {
        Selected::LiveOf(client) => {
            let known = existing(change, client).await?;
            let now = change.now();
            let live = known.credentials.iter().filter(|it| is_live(it, now));
            let ids = live.map(|it| it.id.clone()).collect();
            return Ok(vec![(known, ids)]);
        }
        Selected::Named(ids) => ids,
    };
    let mut by_owner: BTreeMap<ClientId, Vec<CredentialId>> = BTreeMap::new();
    for id in ids {
        let owner = change.owner(id).await?;
        let owner = owner.ok_or_else(|| CredentialError::NoCredential(id.clone()))?;
        by_owner.entry(owner).or_default().push(id.clone());
    }
    let mut owners = Vec::new();
    for (owner, ids) in by_owner {
        owners.push((existing(change, &owner).await?, ids));
    }
    Ok(owners)
}

fn is_live(credential: &Credential, now: Timestamp) -> bool {
    credential.state(now) == CredentialState::Live
}

async fn retire_of(
    change: &mut ChangeTx,
    known: KnownClient,
    ids: &[CredentialId],
    (selected, retirement): (&Selected, Retirement<'_>),
) -> Result<Vec<Judged>, CredentialError> {
    let now = change.now();
    let end = now
        .plus(LATE_ISSUE)
        .plus(longest_life(change, &known).await?);
    let mut judged: Vec<Judged> = known
        .credentials
        .iter()
        .filter(|it| ids.contains(&it.id))
        .map(|it| Judged {
            credential: it.id.clone(),
            client: known.client.id.clone(),
            last_used_at: it.last_used_at,
            last_used_from: it.last_used_from,
            kept: retirement
                .when_unused
                .and_then(|span| still(it, now.minus(span))),
            tokens_end_at: None,
        })
        .collect();
    if matches!(selected, Selected::LiveOf(_)) {
        keep_one(&mut judged);
    }
    let mut retired = Vec::new();
    for it in judged.iter_mut().filter(|it| it.kept.is_none()) {
        let found = known.credentials.iter().find(|old| old.id == it.credential);
        if let Some(old) = found {
            let new = ended(old, retirement.compromised, now);
            change.put_credential(&it.client, &new).await?;
        }
        it.tokens_end_at = Some(end);
        retired.push(&it.credential);
    }
    let action = if retirement.compromised {
        "credential_compromised"
    } else {
        "credential_retired"
    };
    if !retired.is_empty() {
        note(change, known.client, (action, &retired), retirement.by).await?;
    }
    Ok(judged)
}

/// What keeps a credential from being retired as unused since `since`.
fn still(credential: &Credential, since: Timestamp) -> Option<Kept> {
    let began = credential.active_from.max(Some(credential.created_at));
    if credential.last_used_at.is_some_and(|at| at > since) {
        Some(Kept::InUse)
    } else if began.is_some_and(|at| at > since) {
        Some(Kept::New)
    } else {
        None
    }
}

/// Keeps the one that was used last, if all would be retired.
fn keep_one(judged: &mut [Judged]) {
    if judged.iter().all(|it| it.kept.is_none())
        && let Some(last) = judged.iter_mut().max_by_key(|it| it.last_used_at)
    {
        last.kept = Some(Kept::Last);
    }
}

/// The earlier of two retirements counts.
fn ended(credential: &Credential, compromised: bool, now: Timestamp) -> Credential {
    let mark = if compromised {
        now.plus(LATE_ISSUE)
    } else {
        Timestamp::EPOCH
    };
    Credential {
        retired_at: Some(credential.retired_at.map_or(now, |at| at.min(now))),
        tokens_not_before: credential.tokens_not_before.max(mark),
        ..credential.clone()
    }
}

/// The longest that a token of this client may live, whatever its policies were lately.
async fn longest_life(change: &mut ChangeTx, known: &KnownClient) -> Result<Seconds, StoreError> {
    let mut longest = Seconds::new(0);
    for policy in &known.policies {
        if let Some(audience) = change.audience(&policy.audience).await? {
            longest = longest.max(audience.max_token_lifetime);
        }
    }
    Ok(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::CredentialMaterial;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn credential(made: i64, begins: Option<i64>, used: Option<i64>) -> Credential {
        Credential {
            id: CredentialId::parse("k3v9x0q2ma").unwrap(),
            label: None,
            material: CredentialMaterial::Jwk(String::new()),
            active_from: begins.map(at),
            expires_at: None,
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: at(made),
            last_used_at: used.map(at),
            last_used_from: None,
        }
    }

    #[test]
    fn a_credential_is_quiet_when_it_is_neither_used_nor_new_since() {
        for (made, begins, used, expected) in [
            (10, None, None, None),
            (10, None, Some(100), None),
            (10, None, Some(101), Some(Kept::InUse)),
            (101, None, None, Some(Kept::New)),
            (10, Some(101), None, Some(Kept::New)),
            (10, Some(50), Some(60), None),
        ] {
            let it = credential(made, begins, used);
            assert_eq!(still(&it, at(100)), expected, "{it:?}");
        }
    }

    #[test]
    fn an_earlier_retirement_and_a_later_mark_stay() {
        let mut old = credential(0, None, None);
        assert_eq!(ended(&old, false, at(50)).retired_at, Some(at(50)));
        assert_eq!(
            ended(&old, false, at(50)).tokens_not_before,
            Timestamp::EPOCH
        );
        old.retired_at = Some(at(40));
        old.tokens_not_before = at(60);
        let new = ended(&old, true, at(50));
        assert_eq!(
            (new.retired_at, new.tokens_not_before),
            (Some(at(40)), at(60))
        );
        old.retired_at = Some(at(90));
        assert_eq!(ended(&old, true, at(70)).retired_at, Some(at(70)));
        assert_eq!(ended(&old, true, at(70)).tokens_not_before, at(71));
    }
}
