//! The subjects of all identities: the part of the table `credentials` by which a foreign token finds its client.

use serde::Deserialize;
use sqlx::QueryBuilder;

use super::Store;
use super::error::StoreError;
use super::lists::listed;
use super::memory::subjects::SubjectOf;
use super::row::{ROWS_AT_ONCE, Row, row};
use super::transaction::on_db;
use crate::domain::glob::Glob;
use crate::domain::identifier::{ClientId, IssuerId};

const SELECT: &str =
    "SELECT client_id, id, form, material FROM credentials WHERE kind = 'identity' AND ";

/// Some of all subjects.
#[derive(Debug)]
pub struct SubjectPage {
    /// The subjects.
    pub subjects: Vec<SubjectOf>,
    /// Where the next page begins; nothing after the last one.
    pub last: Option<(String, String)>,
}

row! {
    struct SubjectRow {
        client_id: String,
        id: String,
        form: Option<String>,
        material: String,
    }
}

/// Of the document of an identity what is looked up.
#[derive(Deserialize)]
struct Document {
    subject: Glob,
}

impl Store {
    /// The subjects of at most `limit` identities, live or not, that come after `after`: a client and a credential.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn subjects_after(
        &self,
        after: Option<&(String, String)>,
        limit: i64,
    ) -> Result<SubjectPage, StoreError> {
        let (client, id) = after.map_or(("", ""), |(client, id)| (client, id));
        let rows: Vec<SubjectRow> = self
            .read_all(async |tx| {
                Ok(on_db!(tx, conn => {
                    let mut statement = QueryBuilder::new(SELECT);
                    statement.push("(client_id, id) > (").push_bind(client);
                    statement.push(", ").push_bind(id);
                    statement.push(") ORDER BY client_id, id LIMIT ").push_bind(limit);
                    statement.build_query_as().fetch_all(conn).await?
                }))
            })
            .await?;
        let is_full = i64::try_from(rows.len()) == Ok(limit);
        let last = rows.last().filter(|_| is_full);
        let last = last.map(|it| (it.client_id.clone(), it.id.clone()));
        let subjects = rows.into_iter().map(SubjectRow::into_subject);
        Ok(SubjectPage {
            subjects: subjects.collect::<Result<_, _>>()?,
            last,
        })
    }

    /// The subjects of all identities of these clients, live or not.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn subjects_of(&self, clients: &[ClientId]) -> Result<Vec<SubjectOf>, StoreError> {
        let rows: Vec<SubjectRow> = self
            .read_all(async |tx| {
                let mut rows = Vec::new();
                for some in clients.chunks(ROWS_AT_ONCE) {
                    rows.extend(on_db!(tx, conn => {
                        let mut statement = QueryBuilder::new(SELECT);
                        listed!(statement, "client_id", some);
                        statement
                            .build_query_as::<SubjectRow>()
                            .persistent(false)
                            .fetch_all(conn)
                            .await?
                    }));
                }
                Ok(rows)
            })
            .await?;
        rows.into_iter().map(SubjectRow::into_subject).collect()
    }
}

impl SubjectRow {
    fn into_subject(self) -> Result<SubjectOf, StoreError> {
        let at = Row {
            table: "credentials",
            key: &self.id,
        };
        let document: Option<Document> = serde_json::from_str(&self.material).ok();
        let issuer = self.form.as_deref().unwrap_or_default();
        Ok(SubjectOf {
            client: at.read("client_id", ClientId::parse(&self.client_id).ok())?,
            issuer: at.read("form", IssuerId::parse(issuer).ok())?,
            subject: at.read("material", document)?.subject,
        })
    }
}
