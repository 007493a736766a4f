//! A request that came: found by its id among the audit events.

use serde_json::Value;
use uuid::Uuid;

use super::Explained;
use super::stopped::behind;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::audit_events::{AuditKind, StoredEvent};
use crate::store::error::StoreError;

/// A request's id tells when it came by the clock of its server. So far the database's clock may differ from that, and so
/// long may it take until it is decided: its event stands under another second.
const APART: Seconds = Seconds::new(2);

/// A request of which no event is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The second in which it came; `None` where its id is none that grantd gives.
    pub at: Option<Timestamp>,
    /// How many events of about that second were left out by all replicas: its own may be among them.
    pub suppressed: u64,
}

/// The request `id`, as its event tells of it.
///
/// # Errors
/// A database out of reach, or a corrupt row.
pub async fn explain_recorded(
    store: &Store,
    id: Uuid,
) -> Result<Result<Explained, Unknown>, StoreError> {
    let found = store.events_of_ids(&[id.to_string()]).await?;
    let Some(mut explained) = found.first().and_then(view) else {
        return Ok(Err(unknown(store, id).await?));
    };
    let at = found.first().map_or(Timestamp::EPOCH, |event| event.at);
    explained.stopped = behind(store, &explained, at).await?;
    Ok(Ok(explained))
}

/// Other events have no checks.
fn view(event: &StoredEvent) -> Option<Explained> {
    let is_of_request = event.kind == AuditKind::Refusal;
    let who = (event.actor.as_str(), event.target.as_str());
    is_of_request.then(|| Explained::read(event.at, who, &event.details))?
}

async fn unknown(store: &Store, id: Uuid) -> Result<Unknown, StoreError> {
    let at = came_at(id);
    let mut suppressed = 0_u64;
    if let Some(at) = at {
        let about = (at.minus(APART), at.plus(APART));
        for event in store.suppressed_events(about).await? {
            let count = event.details.get("count").and_then(Value::as_u64);
            suppressed = suppressed.saturating_add(count.unwrap_or_default());
        }
    }
    Ok(Unknown { at, suppressed })
}

/// When a request came that has this id: only version 7 tells.
fn came_at(id: Uuid) -> Option<Timestamp> {
    if id.get_version_num() != 7 {
        return None;
    }
    let (seconds, _) = id.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok().map(Timestamp::from_unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_tells_when_its_request_came_and_no_other_does() {
        let id: Uuid = "01a22362-1828-76b5-8cab-6385043eef47".parse().unwrap();
        let at = came_at(id).unwrap();
        assert_eq!(at.to_string(), "2026-11-28T18:19:21Z");
        assert_eq!(came_at(Uuid::nil()), None);
        assert_eq!(came_at(Uuid::new_v4()), None);
    }
}
