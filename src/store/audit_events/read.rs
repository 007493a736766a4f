//! Reads the audit log, oldest first, a page at a time; and single events of it.

use sqlx::QueryBuilder;

use super::AuditKind;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::row::{Row, row};
use crate::store::transaction::on_db;

/// Where an event stands among all: they are ordered by time, those of one second by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// When it happened.
    pub at: Timestamp,
    /// Its id; empty before all of that second.
    pub id: String,
}

/// Which events are wanted.
#[derive(Clone, Copy, Debug)]
pub struct AuditPage<'a> {
    /// Later than this one.
    pub after: &'a EventPlace,
    /// Of this client: what it did, and what was done to it.
    pub client: Option<&'a str>,
    /// With this action.
    pub action: Option<&'a str>,
    /// So many at most.
    pub most: u32,
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredEvent {
    /// Its id.
    pub id: String,
    /// When it happened; an alert: the first time in its hour.
    pub at: Timestamp,
    /// What kind of event it is.
    pub kind: AuditKind,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: String,
    /// How often it happened.
    pub count: i64,
    /// More of it.
    pub details: serde_json::Value,
}

impl StoredEvent {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> EventPlace {
        EventPlace {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

const SELECT: &str = "SELECT id, at, kind, count, actor, action, target, details FROM audit_events";

row! {
    struct EventRow {
        id: String,
        at: i64,
        kind: String,
        count: i64,
        actor: String,
        action: String,
        target: String,
        details: String,
    }
}

impl Store {
    /// One page of the audit log.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn audit_events(&self, page: AuditPage<'_>) -> Result<Vec<StoredEvent>, StoreError> {
        // However long it takes: a filter may look at every event that is kept.
        self.read_all(async |tx| {
            let rows: Vec<EventRow> = on_db!(tx, conn => {
                let mut query = QueryBuilder::new(SELECT);
                let after = page.after;
                // As one value, so that the index finds the place: a second may have very many events.
                query.push(" WHERE (at, id) > (").push_bind(after.at.unix());
                query.push(", ").push_bind(after.id.as_str()).push(")");
                if let Some(client) = page.client {
                    // Of a change the target is the client, unless it is an audience of the same name.
                    query.push(" AND (actor = ").push_bind(client);
                    query.push(" OR (action NOT LIKE 'audience%' AND target = ").push_bind(client);
                    query.push("))");
                }
                if let Some(action) = page.action {
                    query.push(" AND action = ").push_bind(action);
                }
                query.push(" ORDER BY at, id LIMIT ").push_bind(i64::from(page.most));
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            rows.into_iter().map(StoredEvent::try_from).collect()
        })
        .await
    }

    /// Where the event `id` stands, where it is kept.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn place_of_event(&self, id: &str) -> Result<Option<EventPlace>, StoreError> {
        let found = self.events_of_ids(&[id.to_owned()]).await?;
        Ok(found.first().map(StoredEvent::place))
    }

    /// Those of `ids` that are kept, in order.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn events_of_ids(&self, ids: &[String]) -> Result<Vec<StoredEvent>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read(async |tx| {
            let rows: Vec<EventRow> = on_db!(tx, conn => {
                let mut query = QueryBuilder::new(SELECT);
                query.push(" WHERE id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(id.as_str());
                }
                query.push(") ORDER BY at, id");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            rows.into_iter().map(StoredEvent::try_from).collect()
        })
        .await
    }

    /// The changes of one of these `actions` that were made to `target` up to `until`: the newest first, `most` at most.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn changes_of(
        &self,
        (target, actions): (&str, &[&str]),
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        // However long it takes: it may step over every change that is kept.
        self.read_all(async |tx| {
            let rows: Vec<EventRow> = on_db!(tx, conn => {
                let mut query = QueryBuilder::new(SELECT);
                query.push(" WHERE kind = 'change' AND at <= ").push_bind(until.unix());
                query.push(" AND target = ").push_bind(target);
                query.push(" AND action IN (");
                let mut list = query.separated(", ");
                for action in actions {
                    list.push_bind(*action);
                }
                query.push(") ORDER BY at DESC, id DESC LIMIT ").push_bind(i64::from(most));
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            rows.into_iter().map(StoredEvent::try_from).collect()
        })
        .await
    }

    /// The events that say how many refusals and the like were left out, from the second `from` to the second `to`.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn suppressed_events(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(async |tx| {
            let rows: Vec<EventRow> = on_db!(tx, conn => {
                let mut query = QueryBuilder::new(SELECT);
                query.push(" WHERE kind = 'refusal' AND action = 'suppressed'");
                query.push(" AND at >= ").push_bind(from.unix());
                query.push(" AND at <= ").push_bind(to.unix());
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            rows.into_iter().map(StoredEvent::try_from).collect()
        })
        .await
    }
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let of = Row {
            table: "audit_events",
            key: &row.id,
        };
        let kind = of.read("kind", AuditKind::from_text(&row.kind))?;
        let details = of.read("details", serde_json::from_str(&row.details).ok())?;
        Ok(Self {
            at: Timestamp::from_unix(row.at),
            kind,
            actor: row.actor,
            action: row.action,
            target: row.target,
            count: row.count,
            details,
            id: row.id,
        })
    }
}
