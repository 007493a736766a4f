//! The table `policy_marks`: from when on tokens that a client gets for an audience live, where its policy was denied
//! once. A mark outlives its policy, its audience and its client.

use std::collections::{BTreeMap, HashMap};

use sqlx::QueryBuilder;

use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::row::{ROWS_AT_ONCE, Row, row};
use super::transaction::{Tx, on_db};
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::timestamp::Timestamp;

row! {
    struct MarkRow of "policy_marks" {
        client_id: String,
        audience: String,
        tokens_not_before: i64,
    }
}

/// The marks of one client, by audience.
type Marks = BTreeMap<AudienceId, Timestamp>;

impl Tx {
    pub(super) async fn policy_marks_of(&mut self, client: &ClientId) -> Result<Marks, StoreError> {
        let rows = self.rows_of(MarkRow::SELECT, Some(client)).await?;
        Ok(by_client(rows)?.remove(client.as_str()).unwrap_or_default())
    }

    /// All marks, by client id.
    pub(super) async fn all_policy_marks(&mut self) -> Result<HashMap<String, Marks>, StoreError> {
        by_client(self.rows_of(MarkRow::SELECT, None).await?)
    }
}

impl ChangeTx {
    /// Kills what clients got, each for one audience, up to and including that second. A mark never goes back.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn mark_policies(
        &mut self,
        marks: &[(ClientId, AudienceId, Timestamp)],
    ) -> Result<(), StoreError> {
        for some in marks.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(MarkRow::INSERT);
                statement.push_values(some, |mut row, mark| MarkRow::from(mark).push(&mut row));
                statement
                    .push(" ON CONFLICT (client_id, audience) DO UPDATE SET ")
                    .push(MarkRow::overwriting(&["client_id", "audience"]));
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        for (client, ..) in marks {
            self.note(ChangeKind::Client, client.as_str());
        }
        Ok(())
    }
}

impl From<&(ClientId, AudienceId, Timestamp)> for MarkRow {
    fn from((client, audience, mark): &(ClientId, AudienceId, Timestamp)) -> Self {
        Self {
            client_id: client.to_string(),
            audience: audience.to_string(),
            tokens_not_before: mark.unix(),
        }
    }
}

fn by_client(rows: Vec<MarkRow>) -> Result<HashMap<String, Marks>, StoreError> {
    let mut of: HashMap<String, Marks> = HashMap::new();
    for row in rows {
        let (table, key) = ("policy_marks", row.client_id.as_str());
        let audience = AudienceId::parse(&row.audience).ok();
        let audience = Row { table, key }.read("audience", audience)?;
        let mark = Timestamp::from_unix(row.tokens_not_before);
        of.entry(row.client_id).or_default().insert(audience, mark);
    }
    Ok(of)
}
